"""The residual stream: how long each token's row of features is after every sub-layer, and what each has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace._kernels import FloatState
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.ops.op import ordered_sum
from llmtrace.trace import StepKind, Trace
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Space,
    Table,
    name,
    paragraph,
    places,
    quiet,
    said,
)
from llmtrace.views.figures import Axis, Heatmap, Heatmaps, Place, Scale, axis
from llmtrace.views.numbers import numbers
from llmtrace.views.places import label_of
from llmtrace.views.view import POSITION, View

TITLE = N_("The residual stream: the row of features that is carried from block to block, one row for each token.")
NORM = N_(
    "The norm of a row, √Σx², tells how long it is: the square root of its squares' sum, added in float32 from feature 0"
    " upwards."
)
CHANGE = N_("change: the norm of the row that this part of the model has added.")
STREAM = (StepKind.AFTER_ATTENTION, StepKind.AFTER_MLP)
STAGES = 25
"""Of longer models, so many of the first and last stages are shown."""


@frozen
class Stage:
    """The stream after one sub-layer; `added` names the step whose output was added to it there."""

    name: str
    added: str | None


def stages(trace: Trace) -> list[Stage]:
    """The stream from its beginning to its end; nothing where a trace has no residual stream."""
    found: list[Stage] = []
    for step in trace.steps:
        if step.op == "add" and trace.legend.kind(step.name) in STREAM:
            before, added = step.record.inputs
            if not found:
                found.append(Stage(before, None))
            found.append(Stage(step.name, added))
    return found


def norms(values: Array) -> Array:
    """√Σx² along the last axis by the one rule: every square, every sum and the root rounded to the type of x."""
    with FloatState(), np.errstate(all="ignore"):
        return np.asarray(np.sqrt(ordered_sum(values * values)))


@frozen
class Stream:
    """The stages of a trace, in one `text` of a batch."""

    trace: Trace
    stages: list[Stage]
    text: int

    def rows(self, tensor: str) -> Array:
        """The rows of a tensor [position, feature]."""
        values = self.trace.tensor(tensor)
        return values[self.text] if values.ndim == 3 else values

    def token(self, position: int) -> str | None:
        """The token at a position."""
        batch = self.text if self.trace.axes(self.stages[-1].name)[0] == "batch" else None
        return self.trace.label("position", position, batch)

    @property
    def positions(self) -> int:
        """How many tokens there are."""
        return int(self.rows(self.stages[-1].name).shape[0])

    def facts(self) -> dict[str, Any]:
        """The norms and changes of all positions at all stages."""
        found = []
        for stage in self.stages:
            change = None if stage.added is None else norms(self.rows(stage.added))
            norm = norms(self.rows(stage.name))
            found.append({"name": stage.name, "added_by": stage.added, "norm": norm, "change": change})
        places = [{"position": i, "text": self.token(i)} for i in range(self.positions)]
        return {"name": "residual", "formula": "√Σx²", "positions": places, "stages": found}


def view(trace: Trace, position: int | None = None, *, every: bool = False, text: int = 0) -> Document:
    """The norms of all tokens after every sub-layer, and the changes at one `position` (the last, if none is given)."""
    stream = Stream(trace, stages(trace), text)
    if not stream.stages:
        raise AddressError(_("this trace has no residual stream"))
    size = stream.positions
    if position is not None and not -size <= position < size:
        raise AddressError(
            _("there is no position {position}: they go from 0 to {last}", position=position, last=size - 1)
        )
    table = np.stack([norms(stream.rows(stage.name)) for stage in stream.stages])
    shown = places(len(stream.stages), len(stream.stages) if every else STAGES)
    blocks = (
        Heading((name(_(TITLE)),), 1, hang=0),
        paragraph(quiet(_(NORM)), hang=0),
        Space(),
        _all(stream, table, shown),
        Space(),
        *_one(stream, table, [n for n in shown if n is not None], (-1 if position is None else position) % size),
    )
    return Document(blocks, stream.facts)


def _all(stream: Stream, table: Array, shown: list[int | None]) -> Block:
    """The norms of all tokens."""
    scale = Scale(0.0, float(table[np.isfinite(table)].max(initial=0.0)))
    rows = tuple(None if n is None else _stage(n, stream.stages[n].name) for n in shown)
    heatmap = Heatmap(
        table,
        np.zeros(table.shape, bool),
        scale,
        Axis("", len(stream.stages), rows),
        axis("position", table.shape[1], stream.token),
    )
    return Heatmaps((heatmap,), left_out=_("Shown: positions {places}."))


def _stage(n: int, name: str) -> Place:
    return Place(n, name=name, short=(name.partition(".")[2] or name).replace("residual_", ""))


def _one(stream: Stream, table: Array, shown: list[int], position: int) -> Iterator[Block]:
    """What was added to one token, and how long its row was then."""
    place = label_of(Place(position, stream.token(position)), 24)
    yield Heading((said(_("position {label}:"), "name", label=place),))
    found = [stream.stages[n] for n in shown]
    sizes = [table[n, position] for n in shown]
    changes = [None if stage.added is None else norms(stream.rows(stage.added)[position])[()] for stage in found]
    top = max((float(norm) for norm in (*sizes, *changes) if norm is not None and np.isfinite(norm)), default=0.0)
    texts = iter(numbers([change for change in changes if change is not None], 3))
    cells: tuple[Inline, ...] = tuple("" if change is None else next(texts) for change in changes)
    yield Table(
        (
            Column(_("after"), tuple(stage.name for stage in found), role="name"),
            Column(_("norm"), numbers(sizes, 3), "right"),
            Column("", _bars(sizes, top), rank=2),
            Column(_("added by"), tuple(stage.added or "" for stage in found), rank=3, width=19),
            Column(_("change"), cells, "right"),
            Column("", _bars(changes, top), rank=1),
        ),
        width=43,
    )
    yield paragraph(quiet(_(CHANGE)), hang=0)


def _bars(sizes: list[Any], top: float) -> tuple[Bar, ...]:
    return tuple(Bar(float(size) / top if top and size is not None else 0.0, 20) for size in sizes)


VIEW = View(
    accepts=lambda trace, name, given: name == "residual",
    build=lambda trace, name, every, position=None: view(trace, position, every=every),
    options=(POSITION,),
    called={"residual": lambda trace: bool(stages(trace))},
)
