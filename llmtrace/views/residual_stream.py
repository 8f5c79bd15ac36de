"""The residual stream: how long each token's row of features is after every sub-layer, and what each has changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace._kernels import FloatState
from llmtrace.arithmetic.lines import to_plain
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.i18n import N_, _
from llmtrace.ops.op import accumulate
from llmtrace.render.notebook import View
from llmtrace.render.terminal.heatmap import Heatmap, Scale, number_width, shown_text
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page
from llmtrace.render.terminal.palette import in_colour
from llmtrace.render.terminal.table import Column, columns_view
from llmtrace.trace import Trace
from llmtrace.views.grid import place_label, some
from llmtrace.views.next_token import bar
from llmtrace.views.numbers import column

TITLE = N_("The residual stream: the row of features that is carried from block to block, one row for each token.")
NORM = N_(
    "The norm of a row, √Σx², tells how long it is: the square root of its squares' sum, added in float32 from feature 0"
    " upwards."
)
CHANGE = N_("change: the norm of the row that this part of the model has added.")
STAGES = 25
"""Of longer models, so many of the first and last stages are shown."""


@dataclass(frozen=True)
class Stage:
    """The stream after one sub-layer; `added` names the step whose output was added to it there."""

    name: str
    added: str | None


def stages(trace: Trace) -> list[Stage]:
    """The stream from its beginning to its end; nothing where a trace has no residual stream."""
    found: list[Stage] = []
    for step in trace.steps:
        if step.op == "add" and step.name.rpartition(".")[2] in {"residual_mid", "residual_out"}:
            before, added = step.record.inputs
            if not found:
                found.append(Stage(before, None))
            found.append(Stage(step.name, added))
    return found


def norms(values: Array) -> Array:
    """√Σx² along the last axis by the one rule: every square, every sum and the root rounded to the type of x."""
    with FloatState(), np.errstate(all="ignore"):
        return np.asarray(np.sqrt(accumulate(values * values)))


@dataclass(frozen=True)
class ResidualStream(View):
    """The norms of all tokens after every sub-layer, and the changes at one `position` (the last, if none is given)."""

    trace: Trace
    position: int | None = None
    every: bool = False
    text: int = 0

    def __post_init__(self) -> None:
        if not self.stages:
            raise AddressError(_("this trace has no residual stream"))
        size = self._rows(self.stages[-1].name).shape[0]
        if self.position is not None and not -size <= self.position < size:
            raise AddressError(
                _("there is no position {position}: they go from 0 to {last}", position=self.position, last=size - 1)
            )

    @property
    def stages(self) -> list[Stage]:
        """The stream from its beginning to its end."""
        return stages(self.trace)

    def _rows(self, name: str) -> Array:
        """The rows of a tensor [position, feature], of one text of a batch."""
        values = self.trace.tensor(name)
        return values[self.text] if values.ndim == 3 else values

    def _label(self, axis: str, place: int) -> str | None:
        batch = self.text if self.trace.axes(self.stages[-1].name)[0] == "batch" else None
        return self.trace.label("position", place, batch)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, colour = Page.of(options), in_colour(console, options)
        found = self.stages
        table = np.stack([norms(self._rows(stage.name)) for stage in found])
        yield page.line((_(TITLE), NAME), hang=0)
        yield page.line((_(NORM), QUIET), hang=0)
        yield page.text()
        shown = some(len(found), len(found) if self.every else STAGES)
        yield from self._all(table, shown, page, colour)
        yield page.text()
        yield from self._one(table, [n for n in shown if n is not None], page)

    def _all(self, table: Array, shown: list[int | None], page: Page, colour: bool) -> Iterator[ConsoleRenderable]:
        scale = Scale(0.0, float(table[np.isfinite(table)].max(initial=0.0)))
        names = ["…" if n is None else self.stages[n].name for n in shown]
        blank, positions = np.zeros(table.shape, bool), table.shape[1]
        margin = min(max(map(len, names)), max(10, page.width // 3)) + 1
        wide = number_width(table, blank, scale, shown, range(positions)) + 3
        columns = some(positions, max(1, (page.width - margin) // wide))
        labels = ["…" if i is None else place_label(self._label, "position", i, max(3, wide - 4)) for i in columns]
        yield Heatmap(table, blank, scale, shown, columns, names, labels, cell=0, room=margin - 1)
        yield scale.view(page, colour)
        if None in columns:
            yield page.line((_("Shown: positions {places}.", places=shown_text(columns, positions)), QUIET), hang=0)

    def _one(self, table: Array, shown: list[int], page: Page) -> Iterator[ConsoleRenderable]:
        position = (table.shape[1] - 1 if self.position is None else self.position) % table.shape[1]
        label = place_label(self._label, "position", position, 24)
        yield page.line((_("position {label}:", label=label), NAME))
        added = {n: self.stages[n].added for n in shown}
        size = {n: table[n, position] for n in shown}
        change = {n: norms(self._rows(name)[position]) for n, name in added.items() if name is not None}
        texts = dict(zip(change, column(list(change.values()), 3), strict=True))
        room = (page.width - (62 if page.width >= 76 else 43)) // 2  # "added by" is left out on a narrow page
        room = max(4, min(20, room))
        top = max((float(norm) for norm in (*size.values(), *change.values()) if np.isfinite(norm)), default=0.0)
        yield from columns_view(
            page,
            [
                Column(_("after"), [self.stages[n].name for n in shown], style=NAME),
                Column(_("norm"), column([size[n] for n in shown], 3), right=True),
                Column("", _bars(size, shown, room, top), style=VALUE, rank=2),
                Column(_("added by"), [added[n] or "" for n in shown], rank=3),
                Column(_("change"), [texts.get(n, "") for n in shown], right=True),
                Column("", _bars(change, shown, room, top), style=VALUE, rank=1),
            ],
        )
        yield page.line((_(CHANGE), QUIET), hang=0)

    def to_dict(self) -> dict[str, Any]:
        """The norms and changes of all positions at all stages."""
        found = []
        for stage in self.stages:
            change = None if stage.added is None else to_plain(norms(self._rows(stage.added)))["values"]
            norm = to_plain(norms(self._rows(stage.name)))["values"]
            found.append({"name": stage.name, "added_by": stage.added, "norm": norm, "change": change})
        count = self._rows(self.stages[-1].name).shape[0]
        places = [{"position": i, "text": self._label("position", i)} for i in range(count)]
        return {"name": "residual", "formula": "√Σx²", "positions": places, "stages": found}


def _bars(sizes: dict[int, Any], shown: list[int], room: int, top: float) -> list[str]:
    return [bar(float(sizes[n]) / top if top and n in sizes else 0.0, room) for n in shown]
