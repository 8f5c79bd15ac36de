"""One choice of a new token: the table of what it was chosen from, and the arithmetic of the choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.arithmetic.lines import Line
from llmtrace.arithmetic.operations import compute
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.explain.verify import verify_step
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _, n_
from llmtrace.trace import Trace
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Document,
    Inline,
    Paragraph,
    Phrase,
    Table,
    Token,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.numbers import number, numbers, percent
from llmtrace.views.running_sum import stretches
from llmtrace.views.view import View

SAME = N_("✓ same bits: all this was computed once more just now, and gave the recorded numbers to the last bit.")
FILTERS = ("top_k", "top_p")


@frozen
class Choice:
    """Choice `number` of a trace."""

    trace: Trace
    number: int

    def __post_init__(self) -> None:
        if self.name("token") not in self.trace:
            raise AddressError(_("this trace has no choice {n}", n=self.number))

    def name(self, part: str) -> str:
        """The name of one of its steps."""
        return f"choice.{self.number}.{part}"

    def row(self, part: str) -> Array:
        """The numbers of one of its steps."""
        return self.trace.tensor(self.name(part))

    def has(self, part: str) -> bool:
        """Whether it has this step, or was given this number."""
        return self.name(part) in self.trace or self.name(part) in self.trace.leaves

    def parts(self) -> list[str]:
        """What was done with the scores before they became probabilities."""
        return [part for part in ("penalised", "scaled", *FILTERS) if self.has(part)]

    @property
    def chosen(self) -> int:
        """The id of the new token."""
        return int(self.row("token"))

    def likeliest(self, count: int) -> list[int]:
        """The likeliest candidates, the likeliest first, and the one that was chosen."""
        order = np.lexsort((-self.row("logits"), -self.row("probabilities"))).tolist()
        shown: list[int] = order[:count]
        return shown if self.chosen in shown else [*shown, self.chosen]

    def lines(self, part: str, *place: int) -> dict[str, Line]:
        """The lines of the explanation of one number of a step, which is replayed."""
        return {line.name: line for line in self.trace.explain(self.name(part), *place).lines}

    def facts(self, places: list[int]) -> dict[str, Any]:
        """The choice and some of its candidates."""
        scores, shares = self.row("logits"), self.row("probabilities")
        return {
            "number": self.number,
            "id": self.chosen,
            "text": self.trace.token_text(self.chosen),
            "probability": shares[self.chosen],
            "drawn": self.row("number") if self.has("number") else None,
            "candidates": [
                {"id": i, "text": self.trace.token_text(i), "score": scores[i], "probability": shares[i]}
                for i in places
            ],
        }


def view(trace: Trace, choice: int, *, count: int = 5) -> Document:
    """The likeliest candidates of a choice, and the one that was chosen."""
    made = Choice(trace, choice)
    places, shares = made.likeliest(count), made.row("probabilities")
    table = Table(
        (
            Column("", tuple(_mark(made, place) for place in places), role="good"),
            Column(_("token"), tuple(Token(trace.token_text(place), most=24) for place in places), role="name"),
            Column(_("score"), numbers(made.row("logits")[places]), "right", rank=2),
            Column(_("probability"), tuple(percent(shares[place]) for place in places), "right"),
            Column("", tuple(Bar(float(shares[place])) for place in places), rank=1),
        )
    )
    return Document((_title(made), table, *_left(made, places)), made.facts(places))


def _title(choice: Choice) -> Paragraph:
    """Which token was chosen, and how."""
    how: Inline = quiet(_("the likeliest (temperature 0)"))
    if choice.has("number"):
        how = said(_("drawn: {number}"), "quiet", number=number(choice.row("number")))
    token = Token(choice.trace.token_text(choice.chosen), "heading", most=40)
    return paragraph(quiet(f"{choice.number}  "), token, "   ", how)


def _mark(choice: Choice, place: int) -> str:
    """What stands before the chosen token."""
    return "→" if place == choice.chosen else ""


def _left(choice: Choice, places: list[int]) -> Iterator[Block]:
    """What the table does not show."""
    shares = choice.row("probabilities")
    others = int(np.count_nonzero(shares)) - int(np.count_nonzero(shares[places]))
    if others > 0:
        share = percent(max(0.0, 1.0 - float(shares[places].astype(np.float64).sum())))
        text = n_("{count} other token has {share}", "{count} other tokens share {share}", others)
        yield paragraph(said(text, "quiet", count=f"{others:,}", share=share), indent=2)


# ---- the arithmetic of a choice -------------------------------------------------------------------------------------


def working(trace: Trace, choice: int, *, count: int = 8) -> Document:
    """A choice as arithmetic: ÷ temperature, filter, exponentials, sum, probabilities, running total, number drawn."""
    made = Choice(trace, choice)
    for name in [name for name in trace if name.startswith(made.name(""))]:
        verify_step(trace, trace[name])
    softmax = made.lines("probabilities", made.chosen)
    formulas = (paragraph(Phrase((text,), "quiet"), indent=2) for text in _formulas(made, softmax))
    blocks = (
        _title(made),
        *formulas,
        Table(tuple(_columns(made, softmax, count))),
        paragraph(_drawn(made), indent=2),
        paragraph(quiet(_(SAME)), indent=2),
    )
    return Document(blocks, lambda: _working_facts(made, softmax, count))


def _formulas(choice: Choice, softmax: dict[str, Line]) -> Iterator[Inline]:
    """How the columns of the table are made."""
    settings = {part: choice.trace[choice.name(part)].settings for part in choice.parts()}
    if "penalised" in settings:
        penalty = number(np.float64(settings["penalised"]["penalty"]), 6)
        text = _(
            "of tokens that the text has already, the score is divided by {penalty}, or where it is below 0 times it"
        )
        yield said(text, penalty=penalty)
    if "scaled" in settings:
        temperature = number(np.float64(settings["scaled"]["divisor"]), 6)
        yield said(_("x = score ÷ {temperature}, the temperature"), temperature=temperature)
    else:
        yield _("x = score")
    if "top_k" in settings:
        yield _("top-k: only the {k} largest x stay", k=settings["top_k"]["k"])
    if "top_p" in settings:
        text = _("top-p: only the largest x stay whose probabilities together reach {p}")
        yield text.format(p=settings["top_p"]["p"])
    maximum, total = number(softmax["maximum"].values), number(softmax["sum of exponentials"].values)
    text = _("e = exp(x − {maximum}), the largest x taken off; the sum of all e is {total}")
    yield said(text, maximum=maximum, total=total)
    yield said(_("probability = e ÷ {total}"), total=total)
    yield _("the tokens stand in the order of their numbers, in which the probabilities are added up")


def _columns(choice: Choice, softmax: dict[str, Line], count: int) -> Iterator[Column]:
    """A column for every step of the calculation; places that are left out share one row."""
    shares = choice.row("probabilities")
    few = sorted(choice.likeliest(count)) if shares.size > count + 4 else list(range(shares.size))
    rows = list(stretches(shares.size, few))
    single = [row.first for row in rows if not row.folded]

    def cells(values: Array) -> tuple[Inline, ...]:
        found = iter(numbers(values[single]))
        return tuple("" if row.folded else next(found) for row in rows)

    tokens: list[Inline] = [
        _("{count} others", count=f"{row.last - row.first + 1:,}")
        if row.folded
        else Token(choice.trace.token_text(row.first), most=20)
        for row in rows
    ]
    yield Column("", tuple("" if row.folded else _mark(choice, row.first) for row in rows), role="good")
    yield Column(_("token"), tuple(tokens), role="name")
    yield Column(_("score"), cells(choice.row("logits")), "right", rank=1)
    titles = {"penalised": _("penalised"), "scaled": "x", "top_k": _("top-k"), "top_p": _("top-p")}
    for part in choice.parts():
        yield Column(titles[part], cells(choice.row(part)), "right")
    yield Column("e", cells(softmax["exponential"].values), "right")
    yield Column(_("probability"), cells(shares), "right")
    if choice.has("number"):
        totals = compute("totals", shares)[[row.last for row in rows]]
        yield Column(_("total so far"), numbers(totals), "right", role="total")


def _drawn(choice: Choice) -> Inline:
    """The number that was drawn, against the running total."""
    token = Token(choice.trace.token_text(choice.chosen), most=24)
    if not choice.has("number"):
        return said(
            _("The largest score is {score}: {token}"), score=number(choice.row("logits")[choice.chosen]), token=token
        )
    lines = choice.lines("token")
    limit, whole = (number(lines[name].values, 6) for name in ("limit", "whole total"))
    text = _("Number drawn: {number} × whole total {whole} = {limit}. The first total above it: {token}")
    return said(text, number=number(choice.row("number"), 6), whole=whole, limit=limit, token=token)


def _working_facts(choice: Choice, softmax: dict[str, Line], count: int) -> dict[str, Any]:
    """The choice with what every candidate went through."""
    data, parts = choice.facts(choice.likeliest(count)), choice.parts()
    rows = {part: choice.row(part) for part in parts} | {"exponential": softmax["exponential"].values}
    rows["running_total"] = compute("totals", choice.row("probabilities"))
    for candidate in data["candidates"]:
        candidate |= {part: row[candidate["id"]] for part, row in rows.items()}
    data["settings"] = {part: dict(choice.trace[choice.name(part)].settings) for part in parts}
    for name in ("maximum", "sum of exponentials"):
        data[name.replace(" ", "_")] = softmax[name].values
    if choice.has("number"):
        lines = choice.lines("token")
        data |= {name.replace(" ", "_"): lines[name].values for name in ("whole total", "limit")}
    return data


VIEW = View(
    accepts=lambda trace, name, given: str(name).startswith("choice.") and f"{name}.token" in trace,
    build=lambda trace, name, every: working(trace, int(name.removeprefix("choice."))),
)
