"""One neuron of an MLP: what it listens to, what it writes, and what it says about each token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
GATED = N_(
    "A neuron multiplies each feature of a token with a weight and adds all this up. Its gate does the same with weights of"
    " its own; its sum is bent, and says how far the gate is open. The sum of the neuron times that is what it says, which is"
    " written back to the features, again each with a weight."
)
FEW_TOKENS = 64


@frozen
class Layer:
    """A layer of neurons, by its steps."""

    sums: tuple[Step, ...]
    """Those that add up: where there are gates, their sums come first."""
    act: Step
    """The one that bends the first sums."""
    says: Step
    """What neurons say: the same, or where it opens gates, that times the other sums."""
    down: Step
    """The one that writes back."""

    @property
    def up(self) -> Step:
        """The neurons' own sums."""
        return self.sums[-1]


def layers(trace: Trace) -> list[Layer]:
    """All layers of neurons in a trace: a linear layer, a function of each number, and a linear layer again; or two linear layers
    side by side, of which one is bent and multiplied with the other.
    """
    steps: dict[str | None, Step] = {step.name: step for step in trace.steps}
    made = (_layer(steps, step) for step in trace.steps if step.op == "linear")
    return [layer for layer in made if layer is not None]


def _layer(steps: Mapping[str | None, Step], down: Step) -> Layer | None:
    """The layer of the neurons that a linear layer hears, if it hears any."""
    says = steps.get(down.record.inputs[0])
    if says is None:
        return None
    gated = says.op == "multiply"
    act = steps.get(says.record.inputs[0]) if gated else says
    if act is None or len(act.record.inputs) > 1 or act.record.weights:
        return None
    names = (*act.record.inputs, *(says.record.inputs[1:] if gated else ()))
    sums = tuple(steps[name] for name in names if name in steps)
    whole = len(sums) == len(names) and all(s.op == "linear" and s.record.shape == says.record.shape for s in sums)
    return Layer(sums, act, says, down) if whole else None


def layer_of(trace: Trace, step: str) -> Layer:
    """The layer of neurons that a step belongs to; AddressError says where there are some."""
    known = layers(trace)
    for layer in known:
        if step in {each.name for each in (*layer.sums, layer.act, layer.says)}:
            return layer
    if not known:
        raise AddressError(_("{name} has no neurons, and no other step of this trace has any", name=step))
    names = [layer.up.name for layer in known]
    near = sorted(names, key=lambda other: (other.split(".")[:2] != step.split(".")[:2], names.index(other)))
    raise AddressError(_("{name} has no neurons; steps that have are {where}", name=step, where=listed(near[:3])))


@frozen
class Neuron:
    """A neuron by its layer and its number, and how many of its weights are shown; `text` is one of a batch."""

    trace: Trace
    layer: Layer
    number: int
    count: int
    text: int

    def weights(self) -> tuple[Array, ...]:
        """Its weight for every feature that comes in, of its gate first if it has one, and for every one that it writes to."""
        return (*[_matrix(step)[:, self.number] for step in self.layer.sums], _matrix(self.layer.down)[self.number])

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
        *gate, incoming, outgoing = (
            [{"feature": i, "weight": weights[i]} for i in largest(weights, self.count)] for weights in self.weights()
        )
        said = {key: self.outputs(step) for key, step in self.columns().items()}
        positions = [
            {"position": i, "text": self.token(i), **{key: numbers[i] for key, numbers in said.items()}}
            for i in range(len(self.outputs(self.layer.up)))
        ]
        return {
            "name": self.layer.up.name,
            "neuron": self.number,
            **({"gate": gate[0]} if gate else {}),
            "incoming": incoming,
            "outgoing": outgoing,
            "positions": positions,
        }

    def columns(self) -> dict[str, Step]:
        """The steps that say something about it, in order, by what they are called."""
        *gate, up = self.layer.sums
        if not gate:
            return {"sum": up, self.layer.act.op: self.layer.act}
        return {"gate": gate[0], self.layer.act.op: self.layer.act, "sum": up, "says": self.layer.says}


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
        paragraph(quiet(_(MEANING if layer.act is layer.says else GATED)), hang=0),
        Space(),
        Heading((heading(_("Its largest weights, with the features they belong to:")),), hang=0),
        _weights(made),
    ]
    for summed in layer.sums:
        for weight in list(summed.weights)[1:]:
            bias = number(summed.weights[weight][neuron], address=f"{weight}[{neuron}]")
            blocks.append(paragraph(said(_("bias, added after its sum: {bias}"), "quiet", bias=bias), indent=2))
    spoken = Heading((heading(_("What it says about each token:")),), hang=0)
    return Document((*blocks, Space(), spoken, *_tokens(made, every)), made.facts)


def _weights(neuron: Neuron) -> Table:
    columns: list[Column] = []
    titles = (*[_("gate listens to")][: len(neuron.layer.sums) - 1], _("listens to"), _("writes to"))
    sides = tuple(zip(titles, neuron.weights(), strict=True))
    count = max(min(neuron.count, weights.size) for _title, weights in sides)
    for side, (title, weights) in enumerate(sides):
        best = largest(weights, neuron.count)
        empty: tuple[Inline, ...] = ("",) * (count - len(best))
        columns += [
            Column(title, (*map(str, best), *empty), "right"),
            Column(_("weight"), (*numbers(weights[best]), *empty), "right", role="name"),
            Column("", (*_bars(weights[best], 20), *empty), rank=len(sides) - side),
        ]
    return Table(tuple(columns))


def _tokens(neuron: Neuron, every: bool) -> Iterator[Block]:
    columns = {key: neuron.outputs(step) for key, step in neuron.columns().items()}
    said = neuron.outputs(neuron.layer.says)
    shown = [
        None if i is None else Place(i, neuron.token(i)) for i in places(said.size, said.size if every else FEW_TOKENS)
    ]
    listed = [place for place in shown if place is not None]
    indices = [place.index for place in listed]
    *before, last = columns
    words = {"sum": _("sum"), "gate": _("gate"), "says": _("says")}
    yield Table(
        (
            Column(_("token"), tuple(label_of(place, 20) for place in listed)),
            *(Column(words.get(key, key), numbers(columns[key][indices]), "right", rank=2) for key in before),
            Column(words.get(last, last), numbers(said[indices]), "right", role="name"),
            Column("", tuple(_bars(said[indices], 40 if len(columns) < 4 else 20)), rank=1),
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
