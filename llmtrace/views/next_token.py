"""Which tokens the model expects after any place of the prompt, with their scores and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult

from llmtrace.arithmetic.lines import to_plain
from llmtrace.errors import AddressError
from llmtrace.i18n import _
from llmtrace.render.notebook import View
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page
from llmtrace.render.terminal.table import Column, columns_view
from llmtrace.text import quoted
from llmtrace.trace import Trace
from llmtrace.views.numbers import column, rounded
from llmtrace.views.sections import Spot, row, spot


@dataclass(frozen=True)
class Candidate:
    """A token that may come next."""

    id: int
    text: str
    score: Any
    probability: Any


def predicts(trace: Trace) -> bool:
    """Whether a trace ends in the probabilities of a next token."""
    return "logits" in trace and "probabilities" in trace


@dataclass(frozen=True)
class Predictions(View):
    """The `count` most likely tokens after the token at `position` (the last, if none is given)."""

    trace: Trace
    position: int | None = None
    count: int = 10
    text: int = 0

    def __post_init__(self) -> None:
        if not predicts(self.trace):
            raise AddressError(_("this trace has no probabilities of a next token"))
        spot(self.trace, self.position)

    @property
    def spot(self) -> Spot:
        """The token after which they may come."""
        return spot(self.trace, self.position, self.text)

    def candidates(self) -> list[Candidate]:
        """The most likely next tokens, the most likely first."""
        scores, shares = (row(self.trace, name, self.spot) for name in ("logits", "probabilities"))
        order = np.argsort(-np.nan_to_num(shares, nan=np.inf), kind="stable")[: self.count]
        return [Candidate(int(i), self.trace.token_text(int(i)), scores[i], shares[i]) for i in order]

    def follower(self) -> tuple[str, Any] | None:
        """The token that follows in the prompt, and its probability."""
        ids = np.atleast_2d(self.trace.tensor("tokens"))[self.text] if "tokens" in self.trace.leaves else np.zeros(0)
        after = self.spot.position + 1
        if after >= ids.size:
            return None
        return self.trace.token_text(int(ids[after])), row(self.trace, "probabilities", self.spot)[int(ids[after])]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, rows = Page.of(options), self.candidates()
        token, place = self.spot.token(self.trace), self.trace.past + self.spot.position
        where = _("after place {place}:", place=place)
        if token is not None:
            where = _("after {token}, at place {place}:", token=quoted(token, 40), place=place)
        yield page.line((where, QUIET))
        room = max(4, min(40, page.width - 50))
        yield from columns_view(
            page,
            [
                Column(_("token"), [quoted(row.text, 24) for row in rows], style=NAME),
                Column(_("score"), column([row.score for row in rows]), right=True, rank=2),
                Column(_("probability"), [percent(row.probability) for row in rows], right=True),
                Column("", [bar(row.probability, room) for row in rows], style=VALUE, rank=1),
            ],
        )
        left = self.trace.shape("probabilities")[-1] - len(rows)
        if left > 0:
            share = percent(max(0.0, 1.0 - sum(float(row.probability) for row in rows)))
            text = _("{count} other tokens share {share}", count=f"{left:,}", share=share)
            yield page.line((text, QUIET), indent=2)
        follower = self.follower()
        if follower is not None:
            text = _("the prompt goes on with {token}, which had a probability of {share}")
            text = text.format(token=quoted(follower[0], 24), share=percent(follower[1]))
            yield page.line((text, QUIET), indent=2)

    def to_dict(self) -> dict[str, Any]:
        """The most likely next tokens."""
        rows = [
            {
                "id": row.id,
                "text": row.text,
                "score": to_plain(row.score)["values"],
                "probability": to_plain(row.probability)["values"],
            }
            for row in self.candidates()
        ]
        place = self.spot
        return {
            "name": "probabilities",
            "position": place.position,
            "text": place.token(self.trace),
            "next_token": rows,
        }


def percent(probability: Any, digits: int = 4) -> str:
    """A probability as a percentage."""
    if not np.isfinite(probability):
        return rounded(probability)
    return f"{rounded(np.float64(probability) * 100, digits)} %"


def bar(share: Any, room: int) -> str:
    """A bar of `room` columns for a share of 1; something of it for every share that is not tiny."""
    if not np.isfinite(share):
        return ""
    length = round(float(share) * room)
    return "█" * (length if length or float(share) < 0.2 / room else 1)
