"""One neuron of an MLP: what it listens to, what it writes, and what it says about each token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _, listed
from llmtrace.trace import Step, Trace
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Space,
    Table,
    heading,
    name,
    paragraph,
    places,
    quiet,
    said,
)
from llmtrace.views.figures import Place
from llmtrace.views.numbers import number, numbers
from llmtrace.views.places import label_of, runs_text
from llmtrace.views.ranking import largest
from llmtrace.views.view import NEURON, View

MEANING = N_(
    "A neuron multiplies each feature of a token with a weight and adds all this up; the result is bent, and what comes"
    " out is written back to the features, again each with a weight."
)
FEW_TOKENS = 64


@frozen
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


def layer_of(trace: Trace, step: str) -> Layer:
    """The layer of neurons that a step belongs to; AddressError says where there are some."""
    known = layers(trace)
    for layer in known:
        if step in {layer.up.name, layer.act.name}:
            return layer
    names = [layer.up.name for layer in known]
    near = sorted(names, key=lambda other: (other.rpartition(".")[0] != step.rpartition(".")[0], names.index(other)))
    where = listed(near[:3]) or _("none")
    raise AddressError(_("{name} has no neurons; steps that have are {where}", name=step, where=where))


@frozen
class Neuron:
    """A neuron by its layer and its number, and how many of its weights are shown; `text` is one of a batch."""

    trace: Trace
    layer: Layer
    number: int
    count: int
    text: int

    def weights(self) -> tuple[Array, Array]:
        """Its weight for every feature that comes in, and for every one that it writes to."""
        return _matrix(self.layer.up)[:, self.number], _matrix(self.layer.down)[self.number]

    def outputs(self, step: Step) -> Array:
        """What a step says for this neuron at every position."""
        out = step.output[..., self.number]
        return out[self.text] if out.ndim == 2 else out

    def token(self, position: int) -> str | None:
        """The token at a position."""
        batch = self.text if self.layer.up.axes[0] == "batch" else None
        return self.trace.label("position", position, batch)

    def facts(self) -> dict[str, Any]:
        """Its largest weights, the largest first, and what it says at every position."""
        received, said = (self.outputs(step) for step in (self.layer.up, self.layer.act))
        incoming, outgoing = (
            [{"feature": i, "weight": weights[i]} for i in largest(weights, self.count)] for weights in self.weights()
        )
        positions = [
            {"position": i, "text": self.token(i), "sum": before, self.layer.act.op: after}
            for i, (before, after) in enumerate(zip(received, said, strict=True))
        ]
        return {
            "name": self.layer.up.name,
            "neuron": self.number,
            "incoming": incoming,
            "outgoing": outgoing,
            "positions": positions,
        }


def view(trace: Trace, step: str, neuron: int, *, count: int = 8, every: bool = False, text: int = 0) -> Document:
    """A neuron by the name of its step and its number: `count` of its largest weights, and some or `every` one of the tokens."""
    layer = layer_of(trace, step)
    size = layer.up.record.shape[-1]
    if not 0 <= neuron < size:
        text_ = _("{name} has no neuron {number}; its neurons are 0 to {last}")
        raise AddressError(text_.format(name=step, number=neuron, last=size - 1))
    made = Neuron(trace, layer, neuron, count, text)
    title = name(_("neuron {number} of {name}", number=neuron, name=layer.up.name))
    blocks: list[Block] = [
        Heading((title, quiet(f"   {_('one of {count}', count=f'{size:,}')}")), 1),
        paragraph(quiet(_(MEANING)), hang=0),
        Space(),
        Heading((heading(_("Its largest weights, with the features they belong to:")),), hang=0),
        _weights(made),
    ]
    if len(layer.up.weights) > 1:
        weight = list(layer.up.weights)[1]
        bias = number(layer.up.weights[weight][neuron], address=f"{weight}[{neuron}]")
        blocks.append(paragraph(said(_("bias, added after its sum: {bias}"), "quiet", bias=bias), indent=2))
    spoken = Heading((heading(_("What it says about each token:")),), hang=0)
    return Document((*blocks, Space(), spoken, *_tokens(made, every)), made.facts)


def _weights(neuron: Neuron) -> Table:
    columns: list[Column] = []
    sides = tuple(zip((_("listens to"), _("writes to")), neuron.weights(), strict=True))
    count = max(min(neuron.count, weights.size) for _title, weights in sides)
    for side, (title, weights) in enumerate(sides):
        best = largest(weights, neuron.count)
        empty: tuple[Inline, ...] = ("",) * (count - len(best))
        columns += [
            Column(title, (*map(str, best), *empty), "right"),
            Column(_("weight"), (*numbers(weights[best]), *empty), "right", role="name"),
            Column("", (*_bars(weights[best], 20), *empty), rank=2 - side),
        ]
    return Table(tuple(columns))


def _tokens(neuron: Neuron, every: bool) -> Iterator[Block]:
    up, act = neuron.layer.up, neuron.layer.act
    received, said = neuron.outputs(up), neuron.outputs(act)
    shown = [
        None if i is None else Place(i, neuron.token(i)) for i in places(said.size, said.size if every else FEW_TOKENS)
    ]
    listed = [place for place in shown if place is not None]
    indices = [place.index for place in listed]
    yield Table(
        (
            Column(_("token"), tuple(label_of(place, 20) for place in listed)),
            Column(_("sum"), numbers(received[indices]), "right", rank=2),
            Column(act.op, numbers(said[indices]), "right", role="name"),
            Column("", tuple(_bars(said[indices], 40)), rank=1),
        )
    )
    if None in shown:
        yield paragraph(quiet(_("Shown: positions {places}.", places=runs_text(shown, said.size))), indent=2)


def _matrix(step: Step) -> Array:
    """The weights of a linear layer, [in, out]."""
    weight = next(iter(step.weights.values()))
    return weight.T if step.settings.get("transposed") else weight


def _bars(values: Array, longest: int) -> list[Bar]:
    """A bar for each number."""
    finite = np.abs(values[np.isfinite(values)])
    top = float(finite.max()) if finite.size else 0.0
    return [Bar(abs(float(v)) / top if top else 0.0, longest, bool(v < 0)) for v in values]


VIEW = View(
    accepts=lambda trace, name, given: name in trace and "neuron" in given,
    build=lambda trace, name, every, neuron: view(trace, name, neuron, every=every),
    options=(NEURON,),
    order=0,
)
