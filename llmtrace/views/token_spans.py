"""Texts in their tokens, with a | between two; where there are colours, each has a background of its own, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from llmtrace.render.terminal.layout import QUIET, Page
from llmtrace.render.terminal.palette import background, in_colour
from llmtrace.render.terminal.table import Line, left

TURNS = (4, 7, 5, 8)
"""The shades that follow one another: neighbours can be told apart, and black be read on all of them."""
SPACE = "_"
"""How a space is shown."""


@dataclass(frozen=True)
class Spans:
    """Rows of tokens, each with a title that says how many there are."""

    rows: Mapping[str, Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, colour = Page.of(options), in_colour(console, options)
        titles = [page.plain(title) for title in self.rows]
        margin = max(map(cell_len, titles), default=0) + 2
        for title, tokens in zip(titles, self.rows.values(), strict=True):
            first = left(title, margin)
            for line in self._lines(tokens, page, page.width - 2 - margin, colour):
                yield Line(Text("  ").append(first, QUIET).append_text(line))
                first = " " * margin

    def _lines(self, tokens: Sequence[str], page: Page, room: int, colour: bool) -> list[Text]:
        """The tokens in lines of at most so many columns; one that is too long for a line is cut off there."""
        lines = [Text()]
        for n, token in enumerate(tokens):
            shown = page.plain(token.replace(" ", SPACE))
            before = "|" if lines[-1].plain else ""
            if lines[-1].plain and lines[-1].cell_len + cell_len(before + shown) > room:
                lines.append(Text())
                before = ""
            lines[-1].append(before, QUIET).append(shown, background(TURNS[n % len(TURNS)]) if colour else "")
        return lines
