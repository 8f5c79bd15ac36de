"""Which tokens the model expects after any place of the prompt, with their scores and probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.trace import StepKind, Trace
from llmtrace.views.document import Bar, Block, Column, Document, Space, Table, Token, paragraph, said
from llmtrace.views.numbers import numbers, percent
from llmtrace.views.ranking import highest
from llmtrace.views.sections import Spot, row, spot
from llmtrace.views.view import POSITION, View

PREDICTIONS = (StepKind.LOGITS, StepKind.PROBABILITIES, StepKind.NEXT_TOKEN)
"""The steps that speak of the next token."""


@frozen
class Candidate:
    """A token that may come next."""

    id: int
    text: str
    score: Any
    probability: Any


def predictions(trace: Trace) -> list[str]:
    """The names of the scores and of the probabilities of a next token; nothing where a trace does not end in them."""
    names = [name for kind in PREDICTIONS[:2] for name in trace.of_kind(kind)]
    return names if len(names) == 2 else []


def predicts(trace: Trace) -> bool:
    """Whether a trace ends in the probabilities of a next token."""
    return bool(predictions(trace))


def candidates(trace: Trace, place: Spot, count: int) -> list[Candidate]:
    """The most likely tokens after a place, the most likely first."""
    scores, shares = (row(trace, name, place) for name in predictions(trace))
    return [Candidate(i, trace.token_text(i), scores[i], shares[i]) for i in highest(shares, count, nan=np.inf)]


def view(trace: Trace, position: int | None = None, *, count: int = 10, text: int = 0) -> Document:
    """The `count` most likely tokens after the one at `position` (the last, if none is given), in a `text` of a batch."""
    if not predicts(trace):
        raise AddressError(_("this trace has no probabilities of a next token"))
    place = spot(trace, position, text)
    rows = candidates(trace, place, count)
    facts = {"name": predictions(trace)[1], "position": place.position, "text": place.token(trace), "next_token": rows}
    return Document((_title(trace, place), _table(trace, place, rows), *_below(trace, place, rows)), facts)


def in_runs(tokens: Sequence[str], runs: Mapping[str, Sequence[Any]]) -> Iterator[Block]:
    """The probabilities of tokens in several runs beside each other, by the runs' titles; None: a run has no such token."""
    if not tokens:
        return
    yield Space()
    yield paragraph(_("The next token:"))
    yield Table(
        (
            Column(_("token"), tuple(Token(token, most=24) for token in tokens), role="name"),
            *(Column(title, tuple(map(_share, shares)), "right") for title, shares in runs.items()),
        )
    )


def _share(share: Any) -> Any:
    return "–" if share is None else percent(share)


def _title(trace: Trace, place: Spot) -> Block:
    token, at = place.token(trace), trace.past + place.position
    if token is None:
        return paragraph(said(_("after place {place}:"), "quiet", place=at))
    return paragraph(said(_("after {token}, at place {place}:"), "quiet", token=Token(token, most=40), place=at))


def _table(trace: Trace, place: Spot, rows: list[Candidate]) -> Table:
    scores, shares = ([place.address(trace, name, each.id) for each in rows] for name in predictions(trace))
    return Table(
        (
            Column(_("token"), tuple(Token(each.text, most=24) for each in rows), role="name"),
            Column(_("score"), numbers([each.score for each in rows], addresses=scores), "right", rank=2),
            Column(
                _("probability"),
                tuple(percent(each.probability, address=at) for each, at in zip(rows, shares, strict=True)),
                "right",
            ),
            Column("", tuple(Bar(float(each.probability)) for each in rows), rank=1),
        )
    )


def _below(trace: Trace, place: Spot, rows: list[Candidate]) -> Iterator[Block]:
    """What the others have together, and the token that follows in the prompt."""
    probabilities = predictions(trace)[1]
    left = trace.shape(probabilities)[-1] - len(rows)
    if left > 0 and np.isfinite(rows[0].probability):
        share = percent(max(0.0, 1.0 - sum(float(each.probability) for each in rows)))
        text = _("{count} other tokens share {share}")
        yield paragraph(said(text, "quiet", count=f"{left:,}", share=share), indent=2)
    ids = np.atleast_2d(trace.tensor("tokens"))[place.text] if "tokens" in trace.leaves else np.zeros(0)
    if place.position + 1 < ids.size:
        follower = int(ids[place.position + 1])
        share = percent(
            row(trace, probabilities, place)[follower], address=place.address(trace, probabilities, follower)
        )
        text = _("the prompt goes on with {token}, which had a probability of {share}")
        token = Token(trace.token_text(follower), most=24)
        yield paragraph(said(text, "quiet", token=token, share=share), indent=2)


VIEW = View(
    accepts=lambda trace, name, given: name in trace and trace.legend.kind(name) in PREDICTIONS and "position" in given,
    build=lambda trace, name, every, position: view(trace, position),
    options=(POSITION,),
)
