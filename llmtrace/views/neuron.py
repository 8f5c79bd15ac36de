"""One neuron of an MLP: what it listens to, what it writes, and what it says about each token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.lines import to_plain
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.i18n import N_, _
from llmtrace.render.notebook import View
from llmtrace.render.terminal.heatmap import shown_text
from llmtrace.render.terminal.layout import HEADING, NAME, QUIET, VALUE, Page
from llmtrace.render.terminal.table import Column, columns_view
from llmtrace.trace import Step, Trace
from llmtrace.views.grid import place_label, some
from llmtrace.views.next_token import bar
from llmtrace.views.numbers import column, rounded

MEANING = N_(
    "A neuron multiplies each feature of a token with a weight and adds all this up; the result is bent, and what comes"
    " out is written back to the features, again each with a weight."
)
FEW_TOKENS = 16


@dataclass(frozen=True)
class Layer:
    """A layer of neurons: the step that adds up, the one that bends, and the one that writes back."""

    up: Step
    act: Step
    down: Step


def layers(trace: Trace) -> list[Layer]:
    """All layers of neurons in a trace: a linear layer, a function of each number, and a linear layer again."""
    found, steps = [], trace.steps
    by_input = {step.record.inputs: step for step in steps if step.record.inputs}
    readers = {step.record.inputs[0]: step for step in steps if step.op == "linear"}
    for up in steps:
        act = by_input.get((up.name,))
        if up.op == "linear" and act is not None and not act.record.weights and act.record.shape == up.record.shape:
            down = readers.get(act.name)
            if down is not None:
                found.append(Layer(up, act, down))
    return found


def layer_of(trace: Trace, name: str) -> Layer:
    """The layer of neurons that a step belongs to; AddressError says where there are some."""
    known = layers(trace)
    for layer in known:
        if name in {layer.up.name, layer.act.name}:
            return layer
    names = [layer.up.name for layer in known]
    near = sorted(names, key=lambda other: (other.rpartition(".")[0] != name.rpartition(".")[0], names.index(other)))
    where = ", ".join(near[:3]) or _("none")
    raise AddressError(_("{name} has no neurons; steps that have are {where}", name=name, where=where))


@dataclass(frozen=True)
class Neuron(View):
    """A neuron by the name of its step and its number. `count` of its largest weights are shown."""

    trace: Trace
    name: str
    number: int
    count: int = 8
    every: bool = False
    text: int = 0

    def __post_init__(self) -> None:
        size = self.layer.up.record.shape[-1]
        if not 0 <= self.number < size:
            raise AddressError(
                _(
                    "{name} has no neuron {number}; its neurons are 0 to {last}",
                    name=self.name,
                    number=self.number,
                    last=size - 1,
                )
            )

    @property
    def layer(self) -> Layer:
        """The steps it is part of."""
        return layer_of(self.trace, self.name)

    def incoming(self) -> Array:
        """Its weight for every feature that comes in."""
        return _matrix(self.layer.up)[:, self.number]

    def outgoing(self) -> Array:
        """Its weight for every feature that it writes to."""
        return _matrix(self.layer.down)[self.number]

    def numbers(self, step: Step) -> Array:
        """What a step says for this neuron at every position."""
        out = step.output[..., self.number]
        return out[self.text] if out.ndim == 2 else out

    def _label(self, axis: str, place: int) -> str | None:
        batch = self.text if self.layer.up.axes[0] == "batch" else None
        return self.trace.label("position", place, batch)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, layer = Page.of(options), self.layer
        yield page.line(
            (_("neuron {number} of {name}", number=self.number, name=layer.up.name), NAME),
            (f"   {_('one of {count}', count=f'{layer.up.record.shape[-1]:,}')}", QUIET),
        )
        yield page.line((_(MEANING), QUIET), hang=0)
        yield page.text()
        yield page.line((_("Its largest weights, with the features they belong to:"), HEADING), hang=0)
        yield from self._weights(page)
        if len(layer.up.weights) > 1:
            bias = rounded(list(layer.up.weights.values())[1][self.number])
            yield page.line((_("bias, added after its sum: {bias}", bias=bias), QUIET), indent=2)
        yield page.text()
        yield page.line((_("What it says about each token:"), HEADING), hang=0)
        yield from self._tokens(page)

    def _weights(self, page: Page) -> Iterator[ConsoleRenderable]:
        columns, room = [], max(4, min(20, (page.width - 50) // 2))
        sides = (_("listens to"), self.incoming()), (_("writes to"), self.outgoing())
        count = max(min(self.count, weights.size) for _title, weights in sides)
        for side, (title, weights) in enumerate(sides):
            best = largest(weights, self.count)
            empty = [""] * (count - len(best))
            columns += [
                Column(title, [*map(str, best), *empty], right=True),
                Column(_("weight"), [*column(weights[best]), *empty], right=True, style=NAME),
                Column("", [*_bars(weights[best], room), *empty], rank=2 - side),
            ]
        yield from columns_view(page, columns)

    def _tokens(self, page: Page) -> Iterator[ConsoleRenderable]:
        received, said = self.numbers(self.layer.up), self.numbers(self.layer.act)
        places = some(said.size, said.size if self.every else FEW_TOKENS)
        shown = [i for i in places if i is not None]
        yield from columns_view(
            page,
            [
                Column(_("token"), [place_label(self._label, "position", i, 20) for i in shown]),
                Column(_("sum"), column(received[shown]), right=True, rank=2),
                Column(self.layer.act.op, column(said[shown]), right=True, style=NAME),
                Column("", _bars(said[shown], max(4, min(40, page.width - 50))), rank=1),
            ],
        )
        if None in places:
            text = _("Shown: positions {places}.", places=shown_text(places, said.size))
            yield page.line((text, QUIET), indent=2)

    def to_dict(self) -> dict[str, Any]:
        """Its largest weights, the largest first, and what it says at every position."""
        received, said = (to_plain(self.numbers(step))["values"] for step in (self.layer.up, self.layer.act))
        return {
            "name": self.layer.up.name,
            "neuron": self.number,
            "incoming": _pairs(self.incoming(), self.count),
            "outgoing": _pairs(self.outgoing(), self.count),
            "positions": [
                {"position": i, "text": self._label("position", i), "sum": before, self.layer.act.op: after}
                for i, (before, after) in enumerate(zip(received, said, strict=True))
            ],
        }


def largest(weights: Array, count: int) -> list[int]:
    """The places of the `count` largest weights, whatever their sign, the largest first."""
    size = np.nan_to_num(np.abs(weights), nan=np.inf)
    return [int(i) for i in np.argsort(-size, kind="stable")[:count]]


def _pairs(weights: Array, count: int) -> list[dict[str, Any]]:
    return [{"feature": i, "weight": to_plain(weights[i])["values"]} for i in largest(weights, count)]


def _matrix(step: Step) -> Array:
    """The weights of a linear layer, [in, out]."""
    weight = next(iter(step.weights.values()))
    return weight.T if step.settings.get("transposed") else weight


def _bars(values: Array, room: int) -> list[tuple[str, str]]:
    """A bar for each number, in another colour where it is negative."""
    finite = np.abs(values[np.isfinite(values)])
    top = float(finite.max()) if finite.size else 0.0
    return [(bar(abs(float(v)) / top if top else 0.0, room), "magenta" if v < 0 else VALUE) for v in values]
