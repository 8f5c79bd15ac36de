"""How surprised a model is by a text: its tokens with their probabilities and losses, and the work behind the totals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.display import asked_option
from llmtrace.experiments.surprise import MEAN, PERPLEXITY, TOTAL, Surprise
from llmtrace.explain.not_finite import said as sentence
from llmtrace.i18n import N_, _, n_
from llmtrace.trace import Trace
from llmtrace.views import explanation
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Document,
    Heading,
    Space,
    Table,
    Token,
    heading,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.not_finite import warned_of
from llmtrace.views.numbers import number, numbers, percent

HOW = N_(
    "The loss of a token is the logarithm of 1 ÷ its probability: 0 for what is certain, 0.69 for one chance in two, 2.3 for"
    " one in ten."
)
FIRST = N_("The first token has no probability: nothing stands before it.")
WINDOWS = N_(
    "The text is longer than the {context} tokens that this model reads at most. It is read by {count} windows: each next"
    " one begins further on and judges the {stride} tokens after those of the window before."
)
BLIND = N_(
    "The perplexity is above {count}, the number of tokens that the model knows: guessing blindly among them all would have been"
    " better, for it was often sure of another token than the one that came."
)
MOST = 40


def view(surprise: Surprise, *, every: bool = False, position: int | None = None, count: int = 6) -> Document:
    """The tokens, the work behind one of them (the most surprising one, if no `position` is given), and the totals.

    `every` token of a long text and every term of a sum, or only the most surprising ones.
    """
    at = _place(surprise, position)
    blocks = tuple(_blocks(surprise, at, every, count))
    return Document(blocks, lambda: _facts(surprise))


def _place(surprise: Surprise, position: int | None) -> int:
    if position is None:
        return 1 + int(np.argmax(surprise.losses))
    surprise.window_of(position)  # which refuses a place where there is nothing
    return position % len(surprise.ids)


def _text(surprise: Surprise, place: int) -> str:
    return surprise.model.token_text(int(surprise.ids[place]))


def _blocks(surprise: Surprise, at: int, every: bool, count: int) -> Iterator[Block]:
    yield Heading((heading(_("How surprised is the model?")),), 1)
    yield from _summary(surprise)
    yield from warned_of(_not_finite(surprise))
    yield Space()
    yield _table(surprise, every)
    yield from _notes(surprise, every)
    yield Space()
    title = said(_("The work behind {token}, at place {place}"), "heading", token=Token(_text(surprise, at)), place=at)
    yield Heading((title,))
    own = surprise.trace(at)
    for address in surprise.addresses(at):
        yield from _work(own, address, every, count)
        yield Space()
    yield Heading((heading(_("All tokens together")),))
    last = own if surprise.window_of(at) == len(surprise.windows) - 1 else surprise.trace()
    for name in (TOTAL, MEAN, PERPLEXITY):
        yield from _work(last, name, every, count)
    yield Space()
    yield paragraph(quiet(_(explanation.SAME)))


def _work(trace: Trace, address: str, every: bool, count: int) -> tuple[Block, ...]:
    return explanation.view(trace.explain(address), every=every, count=count, ending=False).blocks


def _summary(surprise: Surprise) -> Iterator[Block]:
    text = n_(
        "{count} token: together {total}, on average {mean}; the perplexity is {perplexity}",
        "{count} tokens: together {total}, on average {mean}; the perplexity is {perplexity}",
        len(surprise),
    )
    yield paragraph(
        said(
            text,
            count=f"{len(surprise):,}",
            total=number(surprise.total),
            mean=number(surprise.mean),
            perplexity=number(surprise.perplexity, role="value"),
        )
    )


def _not_finite(surprise: Surprise) -> str:
    found = surprise.not_finite()
    return sentence(found) if found else ""


def _table(surprise: Surprise, every: bool) -> Table:
    """The tokens in the order of the text; of a long one, those that surprise most."""
    places = list(surprise.places)
    if len(places) > MOST and not every:
        places = sorted(1 + np.argsort(-np.nan_to_num(surprise.losses, nan=np.inf), kind="stable")[:MOST])
    losses, shares = (row[np.array(places) - 1] for row in (surprise.losses, surprise.probabilities))
    finite = losses[np.isfinite(losses)]
    largest = max(float(finite.max(initial=0)), 1e-30)
    where = [surprise.addresses(place) for place in places]
    return Table(
        (
            Column(_("place"), tuple(str(place) for place in places), "right", role="quiet", rank=2),
            Column(_("token"), tuple(Token(_text(surprise, place), most=24) for place in places), role="name"),
            Column(
                _("probability"),
                tuple(percent(share, address=at) for share, (at, _loss) in zip(shares, where, strict=True)),
                "right",
            ),
            Column(_("loss"), numbers(losses, addresses=[at for _share, at in where]), "right"),
            Column(
                "", tuple("" if np.isnan(loss) else Bar(min(1.0, float(loss) / largest)) for loss in losses), rank=1
            ),
        )
    )


def _notes(surprise: Surprise, every: bool) -> Iterator[Block]:
    hidden = len(surprise) - MOST
    if hidden > 0 and not every:
        text = _("these {count} surprise most, of {whole}; {every} lists every token")
        shown = text.format(count=MOST, whole=f"{len(surprise):,}", every=asked_option("all", "every"))
        yield paragraph(quiet(shown), indent=2)
    yield paragraph(quiet(_(HOW)), hang=0)
    if not surprise.beginning:
        yield paragraph(quiet(_(FIRST)), hang=0)
    known = surprise.model.config.vocabulary
    if surprise.perplexity > known:
        yield paragraph(quiet(_(BLIND, count=f"{known:,}")), hang=0)
    if len(surprise.windows) > 1:
        context = surprise.model.config.context
        text = _(WINDOWS, context=f"{context:,}", count=f"{len(surprise.windows):,}", stride=f"{surprise.stride:,}")
        yield paragraph(quiet(text), hang=0)


def _facts(surprise: Surprise) -> dict[str, Any]:
    rows = []
    for place in surprise.places:
        probability, loss = surprise.addresses(place)
        rows.append(
            {
                "position": place,
                "id": int(surprise.ids[place]),
                "text": _text(surprise, place),
                "probability": surprise.probabilities[place - 1],
                "loss": surprise.losses[place - 1],
                "window": surprise.window_of(place),
                "addresses": {"probability": probability, "loss": loss},
            }
        )
    return {
        "tokens": rows,
        "total": surprise.total,
        "mean": surprise.mean,
        "perplexity": surprise.perplexity,
        "not_finite": _not_finite(surprise) or None,
        "beginning": surprise.beginning,
        "stride": surprise.stride,
        "context": surprise.model.config.context,
        "windows": list(surprise.windows),
    }
