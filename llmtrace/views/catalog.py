"""What `llmtrace show` shows for a name: the list of steps, one step, attention, a neuron, the residual stream, …"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.lines import to_plain
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.errors import AddressError
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.render.notebook import View
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page, label
from llmtrace.render.terminal.palette import in_colour
from llmtrace.render.terminal.table import Line
from llmtrace.trace import Step, Trace
from llmtrace.views import step as steps
from llmtrace.views.attention import Attention, is_attention
from llmtrace.views.grid import Label, grid, sizes, some, summary
from llmtrace.views.histogram import spread
from llmtrace.views.neuron import Neuron
from llmtrace.views.next_token import Predictions
from llmtrace.views.residual_stream import ResidualStream, stages
from llmtrace.views.sampling import ChoiceWorking
from llmtrace.views.step_list import StepList, step_to_dict

RESIDUAL = "residual"
CHOICE = "choice."
PREDICTIONS = ("logits", "probabilities", "next_token")


def look(
    trace: Trace,
    name: str | None = None,
    *,
    head: int | None = None,
    neuron: int | None = None,
    position: int | None = None,
    every: bool = False,
) -> View:
    """The view of a trace, or of one of its parts by name; AddressError where there is nothing of that name or number."""
    if name is None:
        _refuse(_("the list of steps"), head=head, neuron=neuron, position=position)
        return StepList(trace, every)
    if name == RESIDUAL:
        _refuse(name, head=head, neuron=neuron)
        return ResidualStream(trace, position, every)
    if name not in trace:
        if f"{name}.token" in trace and name.startswith(CHOICE):
            _refuse(name, head=head, neuron=neuron, position=position)
            return ChoiceWorking(trace, int(name.removeprefix(CHOICE)))
        if name not in trace.names():
            raise unknown(trace, name)
        _refuse(name, head=head, neuron=neuron, position=position)
        return TensorLook(trace, name)
    if neuron is not None:
        _refuse(name, head=head, position=position)
        return Neuron(trace, name, neuron, every=every)
    step = trace[name]
    if position is not None and name in PREDICTIONS:
        _refuse(name, head=head)
        return Predictions(trace, position)
    _refuse(name, position=position, **({} if "head" in step.axes else {"head": head}))
    return Attention(step, head, every) if is_attention(step) else StepLook(step, head, every)


def step_view(step: Step, *, every: bool = False, count: int = 6) -> ConsoleRenderable:
    """The view of a step that Rich and notebooks show: heatmaps of attention, and of anything else a few of its numbers."""
    return Attention(step, None, every) if is_attention(step) else steps.view(step, every=every, count=count)


def unknown(trace: Trace, name: str) -> AddressError:
    """What to say where nothing has that name."""
    known = [*trace.names(), *([RESIDUAL] if stages(trace) else [])]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
    return AddressError(
        _("nothing is named {name}; the nearest names are {near}", name=repr(name), near=", ".join(near))
    )


def _refuse(name: str, **options: int | None) -> None:
    """AddressError for an option that does not belong to what is shown."""
    uses = {
        "head": _("steps with heads, such as block.0.attn.pattern"),
        "neuron": _("steps with neurons, such as block.0.mlp.up"),
        "position": _("residual, logits, probabilities and next_token"),
    }
    for option, value in options.items():
        if value is not None:
            raise AddressError(
                _("--{option} does not go with {name}: it is for {uses}", option=option, name=name, uses=uses[option])
            )


@dataclass(frozen=True)
class StepLook(View):
    """One step with its inputs, weights and output; of one `head` only the output; of the scores also the next token."""

    step: Step
    head: int | None = None
    every: bool = False

    def __post_init__(self) -> None:
        if self.head is not None and not 0 <= self.head < self._heads:
            raise AddressError(
                _(
                    "{name} has no head {head}; its heads are 0 to {last}",
                    name=self.step.name,
                    head=self.head,
                    last=self._heads - 1,
                )
            )

    @property
    def _heads(self) -> int:
        return self.step.record.shape[self.step.axes.index("head")]

    def _part(self) -> tuple[Array, Axes]:
        """The output, or that of one head, and its axes."""
        out, axes = self.step.output, self.step.axes
        if self.head is None:
            return out, axes
        at = axes.index("head")
        return np.take(out, self.head, at), (*axes[:at], *axes[at + 1 :])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, step = Page.of(options), self.step
        out, axes = self._part()
        rows = 24 if self.every else 6
        if self.head is None:
            yield steps.view(step, every=self.every)
        else:
            yield page.line((f"{step.name}[head={self.head}]", NAME), f" = {step.op}({', '.join(step.record.inputs)})")
            yield page.line((label(_("formula")), QUIET), (steps.formula_of(step), "italic"))
            yield page.line((label(_("came out")), QUIET), (sizes(out.shape, axes), VALUE), f", {out.dtype}")
            yield page.line(summary(out), indent=2)
            if out.size:
                yield from grid(out, axes, steps.label_of(step), page, rows)
        line = page.text((label(_("histogram")), QUIET), "[")
        yield Line(line.append_text(spread(out).picture(in_colour(console, options))).append("]"))
        if step.name in PREDICTIONS and "probabilities" in step.trace:
            yield page.text()
            yield Predictions(step.trace)

    def to_dict(self) -> dict[str, Any]:
        """The step, its inputs and weights with their sizes, and the numbers of its output that are shown."""
        op, source = OPS[self.step.op], self.step.trace
        out, axes = self._part()
        data = {
            **step_to_dict(self.step),
            "formula": op.formula,
            "operands": [
                {"letter": letter, "name": name, "axes": list(source.axes(name)), "shape": list(source.shape(name))}
                for letter, name in self.step.record.operands.items()
                if name is not None
            ],
            "head": self.head,
            "shown": shown_numbers(out, axes, 24 if self.every else 6),
        }
        if self.step.name in PREDICTIONS and "probabilities" in source:
            data["next_token"] = Predictions(source).to_dict()["next_token"]
        return data


@dataclass(frozen=True)
class TensorLook(View):
    """A weight, or what the run was given, by its name."""

    trace: Trace
    name: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, values, axes = Page.of(options), self.trace.tensor(self.name), self.trace.axes(self.name)
        what = _("a weight of the model") if self.name in self.trace.weights else _("given to the model")
        yield page.line((self.name, NAME), label(f" ({what})"), (sizes(values.shape, axes), VALUE), f", {values.dtype}")
        yield page.line(summary(values), indent=2)
        tokens: Label = self.trace.label if axes[:1] != ("batch",) else lambda axis, index: None
        if values.size:
            yield from grid(values, axes, _places(tokens, self.name), page)

    def to_dict(self) -> dict[str, Any]:
        """Sizes, spread, and the numbers that are shown."""
        values, axes = self.trace.tensor(self.name), self.trace.axes(self.name)
        size = {"axes": list(axes), "shape": list(values.shape), "dtype": str(values.dtype), "bytes": values.nbytes}
        return {"name": self.name, **size, **spread(values).to_dict(), "shown": shown_numbers(values, axes, 6)}


def _places(label: Label, name: str) -> Label:
    """The labels of a tensor's places; the rows of a table of positions are not the tokens of this prompt."""
    return label if not name.endswith(".weight") else lambda axis, i: label(axis, i) if axis == "vocabulary" else None


def shown_numbers(values: Array, axes: Axes, rows: int, columns: int = 12) -> dict[str, Any]:
    """Some numbers of the last two axes, with the places where they stand; the axes before them stand at 0."""
    lead = (0,) * max(0, values.ndim - 2)
    if not values.size:
        return {"at": {}, "places": {}, "values": []}
    limits = [rows, columns][-min(2, values.ndim) :] if values.ndim else []
    places = [[i for i in some(n, limit) if i is not None] for n, limit in zip(values.shape[-2:], limits, strict=True)]
    shown = values[lead][np.ix_(*places)] if places else values
    return {
        "at": dict(zip(axes, lead, strict=False)),
        "places": dict(zip(axes[-2:], places, strict=True)),
        "values": _nested(shown),
    }


def _nested(values: Array) -> Any:
    return to_plain(values)["values"] if values.ndim < 2 else [to_plain(row)["values"] for row in values]
