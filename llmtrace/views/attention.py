"""Attention as heatmaps: who looks at whom, all heads side by side, or one of them large with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.display import asked_explain, asked_option
from llmtrace.errors import AddressError
from llmtrace.explain.not_finite import masked
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.trace import Step
from llmtrace.views import step as steps
from llmtrace.views.document import Block, Document, Heading, Space, name, paragraph, places, quiet
from llmtrace.views.figures import Heatmap, Heatmaps, Scale, axis
from llmtrace.views.view import HEAD, View

PATTERN = N_(
    "How much each token (row) looks at itself and at the tokens before it (columns): the shares of a row add up to 1."
)
FULL = N_("How much each token (row) looks at each token (column): the shares of a row add up to 1.")
CROSS = N_(
    "How much each token that is written (row) looks at each token of the source (column): the shares of a row add up to 1."
)
SCORES = N_(
    "How well the question of each token (row) fits the label of each token (column), before this becomes shares."
)
BLANKS = N_("Blank: a token that comes later; nobody can look at it.")
SHOWN = N_("Shown: rows {rows}, columns {columns}.")
ROWS, COLUMNS = 64, 256
"""Of longer texts, only the rows and columns with the largest numbers are shown, so many of them, unless all are asked for."""
FACTS = 64
"""Of longer texts, the facts hold so many places: half of them the first ones, half the last."""


def is_attention(step: Step) -> bool:
    """Whether a step has a number for every query and key of every head."""
    places = step.axes[-2:]
    return step.axes[-3:-2] == ("head",) and "feature" not in places and not step.name.startswith("d.")


def view(step: Step, head: int | None = None, *, every: bool = False, text: int = 0) -> Document:
    """The heads of an attention step as heatmaps, or one `head` large. `every`: more of a long text; `text`: of a batch."""
    heads = step.record.shape[-3]
    if head is not None and not 0 <= head < heads:
        said = _("{name} has no head {head}; its heads are 0 to {last}", name=step.name, head=head, last=heads - 1)
        raise AddressError(said)
    attention = Attention(step, head, every, text)
    return Document(tuple(attention.blocks()), attention.facts)


def maps(step: Step, head: int, *, text: int = 0) -> tuple[Block, ...]:
    """One head of an attention step as a heatmap, without more words."""
    return (Heatmaps(tuple(Attention(step, head, False, text).maps()), (), _(SHOWN)),)


MASKED = frozenset({"attention_scores", "causal_softmax"})
"""The ops that leave out later keys."""


@frozen
class Attention:
    """The heads of an attention step, or one of them."""

    step: Step
    head: int | None
    every: bool
    text: int

    @cached_property
    def values(self) -> Array:
        """The step's numbers, [head, query, key]."""
        out = self.step.output
        return out[self.text] if self.step.axes[0] == "batch" else out

    @cached_property
    def blank(self) -> Array:
        """[query, key]: the keys that come after the query, for which nothing is computed."""
        queries, keys = self.step.record.shape[-2:]
        if masked(self.step, MASKED):
            return np.arange(keys) > np.arange(queries)[:, None] + (keys - queries)
        return np.zeros((queries, keys), bool)

    @property
    def heads(self) -> list[int]:
        """Those that are shown."""
        return list(range(self.step.record.shape[-3])) if self.head is None else [self.head]

    @property
    def _shares(self) -> bool:
        return "softmax" in self.step.op

    @property
    def axes(self) -> Axes:
        """What the rows and the columns are called."""
        return self.step.axes[-2:]

    def about(self) -> str:
        """What is seen, in a sentence."""
        if not self._shares:
            return _(SCORES)
        return _(PATTERN if self.axes == ("query", "key") else CROSS if self.axes[0] == "query" else FULL)

    def scale(self) -> Scale:
        """The shades of all heads alike: from 0 for shares, from the smallest for scores, to the largest."""
        numbers = self.values[:, ~self.blank]
        finite = numbers[np.isfinite(numbers)]
        if not finite.size:
            return Scale(0.0, 0.0)
        return Scale(0.0 if self._shares else float(finite.min()), float(finite.max()))

    def token(self, axis: str, place: int) -> str | None:
        """The token at a place."""
        batch = self.text if self.step.axes[0] == "batch" else None
        return self.step.trace.label(axis, place, batch)

    def blocks(self) -> Iterator[Block]:
        """What is seen."""
        step = self.step
        title = step.name if self.head is None else f"{step.name}[head={self.head}]"
        yield Heading((name(title), f" = {step.op}({', '.join(step.record.inputs)})"), 1)
        yield paragraph(quiet(self.about()), hang=0)
        if step.axes[0] == "batch":
            yield paragraph(name(_("text {number}", number=self.text)))
        if not step.output.size:
            yield paragraph(_("no finite numbers"))
            return
        yield Space()
        notes = (paragraph(quiet(_(BLANKS)), hang=0),) if self.blank.any() else ()
        yield Heatmaps(tuple(self.maps()), notes, _(SHOWN), apart=True)
        if self.head is None:
            yield paragraph(quiet(_("One head large: {way}", way=asked_option("head", value=0))), hang=0)
        how = _("How one of the numbers was computed: {way}", way=asked_explain(self._strongest()))
        yield paragraph(quiet(how), hang=0)

    def maps(self) -> Iterator[Heatmap]:
        """A map for each head, all in the same shades; one by itself with its numbers, if there is room."""
        _heads, queries, keys = self.step.record.shape[-3:]
        scale = self.scale()
        high, wide = (queries, keys) if self.every else (ROWS, COLUMNS)
        size = np.where(self.blank, -np.inf, np.nan_to_num(self.values[self.heads], nan=np.inf)).max(axis=0)
        lines = [queries - 1, *(int(i) for i in np.argsort(-size.max(axis=1), kind="stable") if i != queries - 1)]
        across, down = self.axes[1], self.axes[0]
        rows = axis(down, queries, lambda i: self.token(down, i), high, lines)
        most = size[rows.indices()].max(axis=0)
        order = [int(i) for i in np.argsort(-most, kind="stable")]
        columns = axis(across, keys, lambda i: self.token(across, i), wide, order)
        for head in self.heads:
            yield Heatmap(
                self.values[head],
                self.blank,
                scale,
                rows,
                columns,
                _("head {number}", number=head) if self.head is None else "",
                "shades" if self.head is None else "numbers if they fit",
                address=self._address(head, "{row}", "{column}"),
                shares=self._shares,
            )

    def _address(self, head: int, query: object, key: object) -> str:
        batch = [f"batch={self.text}"] if self.step.axes[0] == "batch" else []
        rows, columns = self.axes
        return f"{self.step.name}[{', '.join([*batch, f'head={head}', f'{rows}={query}', f'{columns}={key}'])}]"

    def _strongest(self) -> str:
        """The address of the place that the last token looks at most."""
        rows = np.where(self.blank[-1], -np.inf, np.nan_to_num(self.values[self.heads, -1], nan=-np.inf))
        row, key = np.unravel_index(int(rows.argmax()), rows.shape)
        return self._address(self.heads[int(row)], self.values.shape[1] - 1, int(key))

    def facts(self) -> dict[str, Any]:
        """The numbers of the heads; None for places that are not looked at."""
        heads, queries, keys = self.step.record.shape[-3:]
        rows, columns = (
            [i for i in places(count, count if self.every else FACTS + 1) if i is not None] for count in (queries, keys)
        )
        shown, blank = np.ix_(rows, columns), self.blank
        numbers = [np.where(blank[shown], None, self.values[head][shown].astype(object)) for head in self.heads]
        return {
            "name": self.step.name,
            "op": self.step.op,
            "axes": ["head", *self.axes],
            "shape": [heads, queries, keys],
            "heads": self.heads,
            "queries": [{"position": i, "text": self.token(self.axes[0], i)} for i in rows],
            "keys": [{"position": i, "text": self.token(self.axes[1], i)} for i in columns],
            "values": [[list(row) for row in each] for each in numbers],
        }


VIEW = View(
    accepts=lambda trace, name, given: name in trace and is_attention(trace[name]),
    build=lambda trace, name, every, head=None: view(trace[name], head, every=every),
    options=(HEAD,),
)


def of_step(step: Step, *, every: bool = False, count: int = 6) -> Document:
    """What Rich and notebooks show of a step: heatmaps of attention, and of anything else a few of its numbers."""
    return view(step, every=every) if is_attention(step) else steps.view(step, every=every, count=count)
