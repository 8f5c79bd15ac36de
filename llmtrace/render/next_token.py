"""The end of every run: which tokens may come next, with their scores and probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import ConsoleRenderable

from llmtrace.render.inert import quoted
from llmtrace.render.numbers import column, rounded
from llmtrace.render.page import NAME, QUIET, VALUE, Page
from llmtrace.trace import Trace
from llmtrace.words import _


@dataclass(frozen=True)
class Candidate:
    """A token that may come next."""

    id: int
    text: str
    score: Any
    probability: Any


def candidates(trace: Trace, count: int = 10, text: int | None = None) -> list[Candidate]:
    """The `count` most likely next tokens of a prompt (`text`: which one of a batch), the most likely first."""
    if "logits" not in trace or "probabilities" not in trace:
        return []
    lead = () if text is None else (text,)
    scores, shares = (trace.tensor(name)[lead][-1] for name in ("logits", "probabilities"))
    order = np.argsort(-np.nan_to_num(shares, nan=np.inf), kind="stable")[:count]
    return [Candidate(int(i), trace.token_text(int(i)), scores[i], shares[i]) for i in order]


def next_token_view(trace: Trace, page: Page) -> Iterator[ConsoleRenderable]:
    """One table for every text of the batch."""
    if "probabilities" not in trace:
        return
    batch = trace.axes("probabilities")[:1] == ("batch",)
    for text in range(len(trace.tokens)) if batch else [None]:
        if text is not None:
            yield page.line((_("text {number}").format(number=text), NAME))
        yield from _table(trace, page, candidates(trace, 10, text), text)


def _table(trace: Trace, page: Page, rows: list[Candidate], text: int | None) -> Iterator[ConsoleRenderable]:
    tokens = trace.tokens if text is None else trace.tokens[text]
    if tokens:
        yield page.line(
            (_("after {token}, at place {place}:").format(token=quoted(tokens[-1]), place=len(tokens) - 1), QUIET)
        )
    cells = [[_("token"), *(quoted(row.text, 24) for row in rows)]]
    cells.append([_("score"), *column([row.score for row in rows])])
    cells.append([_("probability"), *(percent(row.probability) for row in rows)])
    cells = [[page.plain(cell) for cell in texts] for texts in cells]
    widths = [max(map(cell_len, texts)) for texts in cells]
    room = max(4, min(40, page.width - sum(widths) - 8))
    for n in range(len(rows) + 1):
        token, score, share = (texts[n] for texts in cells)
        line = f"{token}{' ' * (widths[0] - cell_len(token))}  {_right(score, widths[1])}  {_right(share, widths[2])}"
        if n == 0:
            yield page.line((line, QUIET), indent=2)
        else:
            yield page.line((line, NAME if n == 1 else ""), "  ", (bar(rows[n - 1].probability, room), VALUE), indent=2)
    left = trace.shape("probabilities")[-1] - len(rows)
    if left > 0:
        share = percent(max(0.0, 1.0 - sum(float(row.probability) for row in rows)))
        yield page.line(
            (_("{count} other tokens share {share}").format(count=f"{left:,}", share=share), QUIET), indent=2
        )


def percent(probability: Any) -> str:
    """A probability as a percentage."""
    return f"{rounded(np.float64(probability) * 100)} %" if np.isfinite(probability) else rounded(probability)


def bar(share: Any, room: int) -> str:
    """A bar of `room` columns for a share of 1; something of it for every share that is not tiny."""
    if not np.isfinite(share):
        return ""
    length = round(float(share) * room)
    return "█" * (length if length or float(share) < 0.2 / room else 1)


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text
