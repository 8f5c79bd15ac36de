"""Inlines in a terminal: each role has a style, tokens stand in quotes, bars and histograms are made of characters."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from rich.cells import cell_len
from rich.style import Style
from rich.text import Span
from rich.text import Text as RichText

from llmtrace.render.terminal.layout import STYLES, Page
from llmtrace.render.terminal.palette import BLANK, COLOURS, background, levels
from llmtrace.text import quoted, token_words
from llmtrace.views.document import Bar, Histogram, Inline, Number, Phrase, Ref, Role, Run, Text, Token, Tokens, places

HISTOGRAM = " .:-=+*#%@"
MOST_TOKENS, SLACK = 40, 30
"""So many tokens of a text are listed at most; and so many columns may be lost where its lines are broken."""

Piece = tuple[str, str | Style]
"""Harmless characters, and their style."""


def pieces(inline: Inline, page: Page, role: Role = "") -> Iterator[Piece]:
    """What an inline is in a terminal; `role` is that of what it stands in."""
    if isinstance(inline, Phrase):
        for part in inline.parts:
            yield from pieces(part, page, inline.role or role)
    elif isinstance(inline, Histogram):
        yield from _histogram(inline, page)
    elif isinstance(inline, Bar):
        yield page.plain(bar(inline.share, inline.longest)), STYLES["negative" if inline.negative else "value"]
    elif isinstance(inline, str):
        yield page.plain(inline), STYLES[role]
    elif isinstance(inline, Tokens):
        yield page.plain(_some_tokens(inline, page, 0)), STYLES[role]
    elif isinstance(inline, Run):
        yield page.plain(inline.between.join(inline.items[: page.width])), STYLES[role]
    else:
        words = _words(inline, page)
        cut = isinstance(inline, Token) and not words.endswith(("'", '"'))
        yield page.plain(words, isinstance(inline, Token) and not cut), STYLES[inline.role or role]


def _words(inline: Text | Number | Token | Ref, page: Page) -> str:
    if isinstance(inline, Token):
        return quoted(inline.text, inline.most or inline.lines * page.width)
    return inline.address if isinstance(inline, Ref) else inline.text


def rich_text(page: Page, *inlines: Inline, role: Role = "") -> RichText:
    """Inlines in one line."""
    line, spans, end = "", list[Span](), 0
    for inline in inlines:
        if isinstance(inline, Tokens):
            inline = _some_tokens(inline, page, cell_len(line))
        for words, style in pieces(inline, page, role):
            line += words
            if words and style:
                spans.append(Span(end, len(line), style))
            end = len(line)
    return RichText(line, overflow="fold", spans=spans)


def _some_tokens(tokens: Tokens, page: Page, before: int) -> str:
    """As many tokens as there is room for in some lines, after so many columns."""
    words = token_words(tokens.tokens, tokens.most)
    count, shown = len(words), ""
    for room in range(min(MOST_TOKENS, count), 0, -1):
        some = places(count, room)
        shown = " ".join("…" if i is None else words[i] for i in some)
        if before + cell_len(page.plain(shown)) <= tokens.lines * page.width - SLACK:
            break
    return shown


def width_of(page: Page, *inlines: Inline) -> int:
    """How many columns inlines take."""
    return sum(cell_len(words) for inline in inlines for words, _style in pieces(inline, page))


def bar(share: float, room: int) -> str:
    """A bar of `room` columns for a share of 1; something of it for every share that is not tiny."""
    if not math.isfinite(share):
        return ""
    length = round(float(share) * room)
    return "█" * (length if length or float(share) < 0.2 / room else 1)


def _histogram(histogram: Histogram, page: Page) -> Iterator[Piece]:
    """A column for each bin, its shade by its share of the fullest one."""
    counts = np.asarray(histogram.counts)
    if not counts.any():
        yield " " * len(counts), ""
        return
    shades = COLOURS if page.colour else HISTOGRAM[1:]
    for level in levels(counts, 0, max(1, int(counts.max())), len(shades), counts == 0).tolist():
        if page.colour:
            yield " ", background(level) if level != BLANK else ""
        else:
            yield HISTOGRAM[level + 1], ""
