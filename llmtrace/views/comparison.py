"""Two runs beside each other: where they part, how far each step is from that of the other, and which tokens come next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.experiments.compare import Comparison, Difference
from llmtrace.explain.not_finite import warning
from llmtrace.i18n import N_, _, listed, n_
from llmtrace.trace import Trace
from llmtrace.views import layers_compared
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Phrase,
    Ref,
    Space,
    Table,
    Token,
    heading,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.next_token import in_runs, predictions
from llmtrace.views.not_finite import warned_of
from llmtrace.views.numbers import number, percent
from llmtrace.views.overview import tokens_read
from llmtrace.views.places import first_and_last
from llmtrace.views.ranking import highest
from llmtrace.views.sections import row, spot

UNITS = N_(
    "Units: the largest distance of two numbers, counted in the floating-point numbers that lie between them. Share: the largest"
    " distance as a part of the largest number of the step."
)
ALL = N_("All {count} numbers have the same bits.")
COMPARED = N_("All {count} numbers that can be compared have the same bits.")
NONE = N_("No number can be compared: the runs begin with different tokens, or have no step of the same size.")
MOST = 24
"""So many steps are listed, unless all are asked for."""
CHOICES = 6


def view(found: Comparison, *, every: bool = False, count: int = 5) -> Document:
    """Both prompts, the first number that differs, the steps with their distances, the next tokens."""
    first = found.first
    facts: dict[str, Any] = {
        "tokens": [found.a.tokens, found.b.tokens],
        "aligned": found.places,
        "first": first.at if first else None,
        "steps": found.steps,
        "misshapen": found.misshapen,
        "missing": found.missing,
        "choices": found.choices(),
        "next_token": list(_likeliest(found, count)),
        **layers_compared.facts(found),
    }
    return Document(tuple(_blocks(found, every, count)), facts)


def _blocks(found: Comparison, every: bool, count: int) -> Iterator[Block]:
    yield Heading((heading(_("Two runs compared")),), 1)
    for trace in (found.a, found.b):
        yield tokens_read(trace)
    for place, _other, old, new in found.tokens()[:CHOICES]:
        words = {"place": place, "a": _texts(old), "b": _texts(new)}
        yield paragraph(said(_("at place {place}: {a}, in the other run {b}"), **words), indent=2)
    yield Space()
    yield from _where(found)
    differing = [step for step in found.steps if step.differ]
    if differing:
        yield Space()
        yield _table(found, differing, len(differing) if every else MOST)
        yield paragraph(quiet(_(UNITS)), hang=0)
        yield from layers_compared.blocks(found)
    for text in dict.fromkeys(warning(trace) for trace in (found.a, found.b)):
        yield from warned_of(text)
    yield from _left_out(found)
    yield from _choices(found)
    yield from _next(found, count)


def _texts(tokens: list[str]) -> Inline:
    """Some tokens in a row."""
    if not tokens:
        return _("nothing")
    shown: list[Inline] = [Token(text, most=24) for text in tokens[:CHOICES]]
    parts = [part for token in shown for part in (token, " ")][:-1]
    return Phrase((*parts, " …") if len(tokens) > CHOICES else tuple(parts))


def _where(found: Comparison) -> Iterator[Block]:
    """The first number that differs."""
    total, first = sum(step.size for step in found.steps), found.first
    if first is None:
        whole = found.a.tokens == found.b.tokens and not (found.misshapen or any(found.missing))
        text = _(ALL if whole else COMPARED) if total else _(NONE)
        yield paragraph(text.format(count=f"{total:,}"))
        return
    differ = sum(step.differ for step in found.steps)
    text = n_(
        "{differ} of {count} compared number has other bits.",
        "{differ} of {count} compared numbers have other bits.",
        differ,
    )
    yield paragraph(said(text, differ=f"{differ:,}", count=f"{total:,}"))
    a, b = (number(value, 9, address=at) for value, at in zip(first.numbers, first.at, strict=True))
    if first.at[0] == first.at[1]:
        yield paragraph(said(_("The first is {address}: {a} and {b}."), address=Ref(first.at[0]), a=a, b=b))
    else:
        places: dict[str, Any] = {"address": Ref(first.at[0]), "other": Ref(first.at[1])}
        yield paragraph(said(_("The first is {address}: {a}; in the other run {other}: {b}."), a=a, b=b, **places))


def _table(found: Comparison, steps: list[Difference], most: int) -> Table:
    """The steps that differ; of more than `most`, the first and the last ones."""
    steps, between = first_and_last(steps, most)
    return Table(
        (
            Column(_("name"), tuple(name(step.name) for step in steps)),
            Column(_("other bits"), tuple(f"{step.differ:,}" for step in steps), "right"),
            Column(_("of"), tuple(f"{step.size:,}" for step in steps), "right", rank=3),
            Column(_("largest distance"), tuple(_distance(found, step) for step in steps), "right"),
            Column(
                _("share"),
                tuple(percent(step.relative, 3) if _real(found, step) else "" for step in steps),
                "right",
                rank=1,
            ),
            Column(
                _("units"), tuple(f"{step.units:,}" if _real(found, step) else "" for step in steps), "right", rank=2
            ),
        ),
        between,
    )


def _real(found: Comparison, step: Difference) -> bool:
    """Whether its numbers are no names, such as those of tokens, whose distance says nothing."""
    return found.a.dtype(step.name).kind == "f"


def _distance(found: Comparison, step: Difference) -> Inline:
    return number(np.float64(step.largest)) if _real(found, step) else ""


def _left_out(found: Comparison) -> Iterator[Block]:
    if found.misshapen:
        text = _("Not compared, as their sizes differ: {names}.")
        yield paragraph(quiet(text.format(names=_few(found.misshapen))))
    for names, text in zip(
        found.missing, (_("Only in the first run: {names}."), _("Only in the second run: {names}.")), strict=True
    ):
        if names:
            yield paragraph(quiet(text.format(names=_few(names))))


def _few(names: list[str]) -> str:
    shown = names[:4] + ([_("{count} more", count=len(names) - 4)] if len(names) > 4 else [])
    return listed(shown)


def _choices(found: Comparison) -> Iterator[Block]:
    """Where the runs would go on with other tokens."""
    choices = found.choices()
    if not choices:
        return
    yield Space()
    yield paragraph(_("Another token is the likeliest next one:"))
    for i, j, old, new in choices[:CHOICES]:
        words: dict[str, Any] = {"before": Token(found.a.tokens[found.a.past + i], most=24), "place": i}
        words |= {"a": Token(found.a.token_text(old), most=24), "b": Token(found.b.token_text(new), most=24)}
        text = _("after {before} at place {place}: {a}, in the other run {b}")
        if i != j:
            text, words["other"] = _("after {before} at place {place} (in the other run {other}): {a}, there {b}"), j
        yield paragraph(said(text, **words), indent=2)
    if len(choices) > CHOICES:
        yield paragraph(quiet(_("and at {count} more places", count=len(choices) - CHOICES)), indent=2)


def _likeliest(found: Comparison, count: int) -> Iterator[dict[str, Any]]:
    """The next tokens that are among the likeliest of either run, by their texts, with both probabilities."""
    sides = (found.a, found.b)
    if any(not predictions(trace) or trace.batch for trace in sides):
        return
    tables = [_by_text(trace, count) for trace in sides]
    for text in dict.fromkeys([*tables[0][0], *tables[1][0]]):
        yield {"text": text, "a": tables[0][1](text), "b": tables[1][1](text)}


def _by_text(trace: Trace, count: int) -> tuple[list[str], Any]:
    shares = row(trace, predictions(trace)[1], spot(trace))
    texts = {trace.token_text(i): i for i in range(len(shares))}
    return [
        trace.token_text(i) for i in highest(shares, count, nan=np.inf)
    ], lambda text: shares[texts[text]] if text in texts else None


def _next(found: Comparison, count: int) -> Iterator[Block]:
    rows = list(_likeliest(found, count))
    runs = {_("first run"): [each["a"] for each in rows], _("second run"): [each["b"] for each in rows]}
    return in_runs([each["text"] for each in rows], runs)
