"""Which tokens the model expects after any place of the prompt, with their scores and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult

from llmtrace.errors import AddressError
from llmtrace.explain.explanation import to_plain
from llmtrace.ops.op import Array
from llmtrace.render.columns import Column, columns_view
from llmtrace.render.inert import quoted
from llmtrace.render.next_token import Candidate, bar, percent
from llmtrace.render.notebook import View
from llmtrace.render.numbers import column
from llmtrace.render.page import NAME, QUIET, VALUE, Page
from llmtrace.trace import Trace
from llmtrace.words import _


@dataclass(frozen=True)
class Predictions(View):
    """The `count` most likely tokens after the token at `position` (the last, if none is given)."""

    trace: Trace
    position: int | None = None
    count: int = 10
    text: int = 0

    def __post_init__(self) -> None:
        if "logits" not in self.trace or "probabilities" not in self.trace:
            raise AddressError(_("this trace has no probabilities of a next token"))
        size = self._rows("probabilities").shape[0]
        if self.position is not None and not -size <= self.position < size:
            raise AddressError(
                _("there is no position {position}: they go from 0 to {last}").format(
                    position=self.position, last=size - 1
                )
            )

    @property
    def place(self) -> int:
        """The position, counted from 0."""
        return (-1 if self.position is None else self.position) % self._rows("probabilities").shape[0]

    def _rows(self, name: str) -> Array:
        values = self.trace.tensor(name)
        return values[self.text] if values.ndim == 3 else values

    def candidates(self) -> list[Candidate]:
        """The most likely next tokens, the most likely first."""
        scores, shares = self._rows("logits")[self.place], self._rows("probabilities")[self.place]
        order = np.argsort(-np.nan_to_num(shares, nan=np.inf), kind="stable")[: self.count]
        return [Candidate(int(i), self.trace.token_text(int(i)), scores[i], shares[i]) for i in order]

    def token(self, place: int) -> str | None:
        """The token of the prompt at a place, counted from 0 in this run."""
        batch = self.text if self.trace.axes("probabilities")[0] == "batch" else None
        return self.trace.label("position", place, batch)

    def follower(self) -> tuple[str, Any] | None:
        """The token that follows in the prompt, and its probability."""
        ids = self.trace.tensor("tokens") if "tokens" in self.trace.given else np.zeros(0, np.int64)
        ids = ids[self.text] if ids.ndim == 2 else ids
        if self.place + 1 >= ids.size:
            return None
        follower = int(ids[self.place + 1])
        return self.trace.token_text(follower), self._rows("probabilities")[self.place, follower]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, rows = Page.of(options), self.candidates()
        token = self.token(self.place)
        where = _("after place {place}:").format(place=self.place)
        if token is not None:
            where = _("after {token}, at place {place}:").format(token=quoted(token, 40), place=self.place)
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
        left = self._rows("probabilities").shape[-1] - len(rows)
        if left > 0:
            share = percent(max(0.0, 1.0 - sum(float(row.probability) for row in rows)))
            text = _("{count} other tokens share {share}").format(count=f"{left:,}", share=share)
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
        return {"name": "probabilities", "position": self.place, "text": self.token(self.place), "next_token": rows}
