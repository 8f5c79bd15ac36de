"""One choice of a new token: the table of what it was chosen from, and the arithmetic of the choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.lines import Line, to_plain
from llmtrace.arithmetic.operations import compute
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.explain.verify import verify_step
from llmtrace.i18n import N_, _, n_
from llmtrace.render.notebook import View
from llmtrace.render.terminal.layout import GOOD, HEADING, NAME, QUIET, TOTAL, VALUE, Page
from llmtrace.render.terminal.table import Column, columns_view
from llmtrace.text import quoted
from llmtrace.trace import Trace
from llmtrace.views.next_token import bar, percent
from llmtrace.views.numbers import column, rounded
from llmtrace.views.running_sum import stretches

SAME = N_("✓ same bits: all this was computed once more just now, and gave the recorded numbers to the last bit.")
FILTERS = ("top_k", "top_p")


@dataclass(frozen=True)
class ChoiceTable(View):
    """The likeliest candidates of choice `number` of a trace, and the one that was chosen."""

    trace: Trace
    number: int
    count: int = 5

    def __post_init__(self) -> None:
        if self._name("token") not in self.trace:
            raise AddressError(_("this trace has no choice {n}", n=self.number))

    def _name(self, part: str) -> str:
        return f"choice.{self.number}.{part}"

    def row(self, part: str) -> Array:
        """The numbers of one of the choice's steps."""
        return self.trace.tensor(self._name(part))

    def has(self, part: str) -> bool:
        """Whether the choice has this part."""
        return self._name(part) in self.trace or self._name(part) in self.trace.leaves

    @property
    def chosen(self) -> int:
        """The id of the new token."""
        return int(self.row("token"))

    def places(self) -> list[int]:
        """The candidates that are shown, the likeliest first."""
        shares, scores = self.row("probabilities"), self.row("logits")
        order = np.lexsort((-scores, -shares)).tolist()
        shown = order[: self.count]
        return shown if self.chosen in shown else [*shown, self.chosen]

    def title(self, page: Page) -> ConsoleRenderable:
        """Which token was chosen, and how."""
        token = quoted(self.trace.token_text(self.chosen), 40)
        said = _("the likeliest (temperature 0)")
        if self.has("number"):
            said = _("drawn: {number}", number=rounded(self.row("number")))
        return page.line((f"{self.number}  ", QUIET), (token, HEADING), (f"   {said}", QUIET))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, places = Page.of(options), self.places()
        yield self.title(page)
        shares = self.row("probabilities")
        room = max(4, min(40, page.width - 50))
        yield from columns_view(
            page,
            [
                Column("", [self.mark(place) for place in places], style=GOOD),
                Column(_("token"), [quoted(self.trace.token_text(place), 24) for place in places], style=NAME),
                Column(_("score"), column(self.row("logits")[places]), right=True, rank=2),
                Column(_("probability"), [percent(shares[place]) for place in places], right=True),
                Column("", [bar(shares[place], room) for place in places], style=VALUE, rank=1),
            ],
        )
        yield from self._left(page, places)

    def mark(self, place: int) -> str:
        """What stands before the chosen token."""
        return "→" if place == self.chosen else ""

    def _left(self, page: Page, places: list[int]) -> Iterator[ConsoleRenderable]:
        """What the table does not show."""
        shares = self.row("probabilities")
        others = int(np.count_nonzero(shares)) - int(np.count_nonzero(shares[places]))
        if others > 0:
            share = percent(max(0.0, 1.0 - float(shares[places].astype(np.float64).sum())))
            text = n_("{count} other token has {share}", "{count} other tokens share {share}", others)
            yield page.line((text.format(count=f"{others:,}", share=share), QUIET), indent=2)

    def to_dict(self) -> dict[str, Any]:
        """The choice and its likeliest candidates."""
        scores, shares = self.row("logits"), self.row("probabilities")
        return {
            "number": self.number,
            "id": self.chosen,
            "text": self.trace.token_text(self.chosen),
            "probability": to_plain(shares[self.chosen])["values"],
            "drawn": to_plain(self.row("number"))["values"] if self.has("number") else None,
            "candidates": [
                {
                    "id": place,
                    "text": self.trace.token_text(place),
                    "score": to_plain(scores[place])["values"],
                    "probability": to_plain(shares[place])["values"],
                }
                for place in self.places()
            ],
        }


@dataclass(frozen=True)
class ChoiceWorking(ChoiceTable):
    """The same choice as arithmetic: ÷ temperature, filter, exponentials, sum, probabilities, running total, number."""

    count: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in [name for name in self.trace if name.startswith(self._name(""))]:
            verify_step(self.trace, self.trace[name])

    def lines(self, part: str, *place: int) -> dict[str, Line]:
        """The lines of the explanation of one number of a step, which is replayed."""
        return {line.name: line for line in self.trace.explain(self._name(part), *place).lines}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        softmax = self.lines("probabilities", self.chosen)
        yield self.title(page)
        for text in self.formulas(softmax):
            yield page.line((text, QUIET), indent=2, hang=2)
        yield from columns_view(page, self.columns(softmax))
        yield page.line(*self.ending(), indent=2)
        yield page.line((_(SAME), QUIET), indent=2)

    def formulas(self, softmax: dict[str, Line]) -> Iterator[str]:
        """How the columns of the table are made."""
        settings = {part: self.trace[self._name(part)].settings for part in ("scaled", *FILTERS) if self.has(part)}
        if "scaled" in settings:
            temperature = rounded(np.float64(settings["scaled"]["divisor"]), 6)
            yield _("x = score ÷ {temperature}, the temperature", temperature=temperature)
        else:
            yield _("x = score")
        if "top_k" in settings:
            yield _("top-k: only the {k} largest x stay", k=settings["top_k"]["k"])
        if "top_p" in settings:
            text = _("top-p: only the largest x stay whose probabilities together reach {p}")
            yield text.format(p=settings["top_p"]["p"])
        maximum, total = rounded(softmax["maximum"].values), rounded(softmax["sum of exponentials"].values)
        yield _(
            "e = exp(x − {maximum}), the largest x taken off; the sum of all e is {total}", maximum=maximum, total=total
        )
        yield _("probability = e ÷ {total}", total=total)
        yield _("the tokens stand in the order of their numbers, in which the probabilities are added up")

    def columns(self, softmax: dict[str, Line]) -> list[Column]:
        """A column for every step of the calculation; places that are left out share one row."""
        size = self.row("probabilities").size
        rows = (
            list(stretches(size, sorted(self.places())))
            if size > self.count + 4
            else list(stretches(size, list(range(size))))
        )
        single = [row.first for row in rows if not row.folded]

        def cells(values: Array) -> list[str]:
            texts = iter(column(values[single]))
            return ["" if row.folded else next(texts) for row in rows]

        tokens = [
            _("{count} others", count=f"{row.last - row.first + 1:,}")
            if row.folded
            else quoted(self.trace.token_text(row.first), 20)
            for row in rows
        ]
        shares = self.row("probabilities")
        found = [
            Column("", [self.mark(row.first) if not row.folded else "" for row in rows], style=GOOD),
            Column(_("token"), tokens, style=NAME),
            Column(_("score"), cells(self.row("logits")), right=True, rank=1),
        ]
        titles = {"scaled": "x", "top_k": _("top-k"), "top_p": _("top-p")}
        found += [Column(title, cells(self.row(part)), right=True) for part, title in titles.items() if self.has(part)]
        found += [
            Column("e", cells(softmax["exponential"].values), right=True),
            Column(_("probability"), cells(shares), right=True),
        ]
        if self.has("number"):
            totals = compute("totals", shares)[[row.last for row in rows]]
            found.append(Column(_("total so far"), column(totals), right=True, style=TOTAL))
        return found

    def ending(self) -> list[Any]:
        """The number that was drawn, against the running total."""
        token = quoted(self.trace.token_text(self.chosen), 24)
        if not self.has("number"):
            text = _("The largest score is {score}: {token}")
            return [text.format(score=rounded(self.row("logits")[self.chosen]), token=token)]
        lines = self.lines("token")
        limit, whole = (rounded(lines[name].values, 6) for name in ("limit", "whole total"))
        text = _("Number drawn: {number} × whole total {whole} = {limit}. The first total above it: {token}")
        number = rounded(self.row("number"), 6)
        return [text.format(number=number, whole=whole, limit=limit, token=token)]

    def to_dict(self) -> dict[str, Any]:
        """The same with what every candidate went through."""
        data, softmax = super().to_dict(), self.lines("probabilities", self.chosen)
        parts = [part for part in ("scaled", *FILTERS) if self.has(part)]
        rows = {part: self.row(part) for part in parts} | {"exponential": softmax["exponential"].values}
        rows["running_total"] = compute("totals", self.row("probabilities"))
        for candidate in data["candidates"]:
            candidate |= {part: to_plain(row[candidate["id"]])["values"] for part, row in rows.items()}
        data["settings"] = {part: dict(self.trace[self._name(part)].settings) for part in parts}
        for name in ("maximum", "sum of exponentials"):
            data[name.replace(" ", "_")] = to_plain(softmax[name].values)["values"]
        if self.has("number"):
            lines = self.lines("token")
            data |= {
                name.replace(" ", "_"): to_plain(lines[name].values)["values"] for name in ("whole total", "limit")
            }
        return data
