"""The steps of a run as a story: its parts from the embedding to the next token, and the place that is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.trace import Role, Step, StepKind, Trace, role_of

GRADIENTS = N_(
    "Backward, from the loss to the beginning: how much the loss would grow if a number grew by a little, divided by"
    " that little. That is the number's gradient; d. and a name is the gradient of what has that name."
)
LENGTH = N_(
    "The squares of all gradients are added up, and the root of that is their length. If it is more than allowed, all"
    " are shortened by one factor."
)
UPDATE = N_(
    "Every weight goes a small step in the direction in which the loss falls: against its gradient, or against a mean"
    " of its gradients so far. The new weight has the name new. and the weight's name."
)


WEIGHED_BY = {
    StepKind.SCORES: (StepKind.PATTERN, StepKind.CROSS_PATTERN),
    StepKind.NEURON_INPUTS: (StepKind.NEURONS,),
}
"""Of these steps, those numbers tell most that count most one step later."""


@dataclass
class Part:
    """Steps that belong together. `block` is the number of their block, if they are in one."""

    title: str
    sentence: str
    block: int | None = None
    steps: list[Step] = field(default_factory=list)
    main: list[Step] = field(default_factory=list)
    """Those of the steps to see first; in a forward, all."""
    training: bool = False
    """Whether these are gradients, or what is made of them."""


def parts(trace: Trace) -> list[Part]:
    """All steps of a trace, in order, in parts."""
    found: list[Part] = []
    for step in trace.steps:
        role = role_of(trace, step.name)
        if role is None:
            title, sentence, block = _place(trace, step.name)
            known = [part for part in found[-1:] if (part.title, part.block) == (title, block)]
        else:  # of several things that are done in turns, each has one part
            title, sentence, block = _place_in_training(trace, role)
            known = [part for part in found if (part.title, part.block) == (title, block)]
        if not known:
            known = [Part(title, sentence, block, training=role is not None)]
            found += known
        known[0].steps.append(step)
        known[0].main += [step] if role is None or _is_main(trace, role) else []
    return found


def trained(trace: Trace) -> bool:
    """Whether this is a training step: not only forward, but gradients as well."""
    return "d.loss" in trace.leaves


def _is_main(trace: Trace, role: Role) -> bool:
    """Whether a step of training is one to see first: the gradient of a weight, what became of it, the length of all."""
    return role.kind in {"norm", "clip", "new"} or (
        role.kind == "gradient" and (role.base in trace.weights or trace.legend.kind(role.base) == StepKind.LOGITS)
    )


def _place_in_training(trace: Trace, role: Role) -> tuple[str, str, int | None]:
    if role.kind in {"norm", "clip", "clipped", "squares", "squares.total"}:
        return _("Length of the gradient"), _(LENGTH), None
    if role.kind not in {"gradient", "part", "sum", "start", "way"}:
        title, _sentence, block = _place(trace, role.base)
        return _("New weights: {part}", part=title), _(UPDATE), block
    behind = role.via if role.kind in {"part", "start"} and role.via else role.base  # the step that is walked backward
    title, _sentence, block = _place(trace, behind)
    return _("Gradients: {part}", part=title), _(GRADIENTS), block


def block_of(trace: Trace, name: str) -> int | None:
    """The number of the block that a step of the forward is in."""
    return _place(trace, name)[2]


def blocks(found: list[Part]) -> list[int]:
    """The numbers of the blocks there are."""
    return sorted({part.block for part in found if part.block is not None})


def _place(trace: Trace, name: str) -> tuple[str, str, int | None]:
    """Title, sentence and block of the section that tells of a step of the forward."""
    found = trace.legend.of(name)
    while found is None and name:  # a weight, or what is done with one, belongs to the step that uses it
        name = name.rpartition(".")[0]
        found = trace.legend.of(name)
    section = found.words.section if found else None
    if found is None or section is None:
        return _("Other steps"), "", None
    said = "" if section.once and found.numbers["n"] != "0" else _(section.sentence)
    return _(section.title, **found.numbers), said, int(found.numbers["n"]) if section.numbered else None


# ---- the place that is looked at ------------------------------------------------------------------------------------


@frozen
class Spot:
    """The token whose numbers are shown: its `position` in this run; of a batch, in which `text`; and of which `head`."""

    position: int
    text: int = 0
    head: int = 0

    def at(self, trace: Trace, axes: Axes, shape: tuple[int, ...]) -> dict[str, int]:
        """Where a tensor of these axes has this token's numbers: an index for every axis but the last one that counts."""
        place = {"batch": self.text, "position": self.position, "query": self.position, "head": self.head}
        place["key"] = trace.past + self.position
        counted = axes if axes[-1:] == ("position",) else axes[:-1]  # argmax gives one number for a position
        return {axis: min(place.get(axis, 0), size - 1) for axis, size in zip(counted, shape, strict=False)}

    def address(self, trace: Trace, name: str, last: int | None = None) -> str:
        """The address of this token's number in a tensor, at the place `last` of its last axis where it has a row of them."""
        axes = trace.axes(name)
        index = self.at(trace, axes, trace.shape(name))
        if last is not None and len(index) < len(axes):
            index[axes[-1]] = last
        return f"{name}[{', '.join(f'{axis}={i}' for axis, i in index.items())}]"

    def token(self, trace: Trace) -> str | None:
        """The token."""
        batch = self.text if trace.batch else None
        return trace.label("position", self.position, batch)


def positions(trace: Trace, text: int | None = None) -> int:
    """How many tokens this run has read: of one text of a batch, which may be shorter than others, or of the longest."""
    if text is not None and trace.batch:
        return len(trace.tokens[text]) - trace.past
    if "tokens" in trace.leaves:
        return trace.shape("tokens")[-1]
    sizes = (dict(zip(step.axes, step.record.shape, strict=True)).get("position", 0) for step in trace.steps)
    return max(sizes, default=0)


def spot(trace: Trace, position: int | None = None, text: int = 0) -> Spot:
    """The token at a position, or the last one; AddressError where there is none."""
    size = positions(trace, text)
    if position is not None and not -size <= position < size:
        raise AddressError(
            _("there is no position {position}: they go from 0 to {last}", position=position, last=size - 1)
        )
    return Spot((-1 if position is None else position) % size if size else 0, text)


def row(trace: Trace, name: str, place: Spot) -> Array:
    """The numbers of a tensor that belong to a token, along its last axis; of a trace file, only these are read."""
    axes, shape = trace.axes(name), trace.shape(name)
    index = tuple(place.at(trace, axes, shape).values())
    if len(index) == len(axes):
        return np.atleast_1d(trace.elements(name, index))
    return trace.elements(name, (*(np.full(shape[-1], i) for i in index), np.arange(shape[-1])))


@frozen
class Look:
    """What a token looks at most in one block: at which key, in which head, and with what share."""

    head: int
    key: int
    share: Any
    axis: str = "key"
    """Where the place that is looked at counts: in the same text, or in the source."""


def strongest(trace: Trace, block: int, place: Spot) -> Look | None:
    """The head that looks most at one token, of the source where there is one; None in a block without attention."""
    kinds = StepKind.CROSS_PATTERN, StepKind.PATTERN
    names = (name for kind in kinds for name in trace.of_kind(kind) if block_of(trace, name) == block)
    name = next(names, "")
    if not name or trace.axes(name)[-3:-1] != ("head", "query"):
        return None
    heads = trace.shape(name)[-3]
    if not all(trace.shape(name)):
        return None
    shares = np.stack([row(trace, name, Spot(place.position, place.text, head)) for head in range(heads)])
    head, key = np.unravel_index(int(np.nan_to_num(shares, nan=-1.0).argmax()), shares.shape)
    return Look(int(head), int(key), shares[head, key], trace.axes(name)[-1])


def telling(trace: Trace, name: str, place: Spot) -> str:
    """The address of a telling number of a step for a token: the largest; of scores, that of the key looked at most."""
    if len(place.at(trace, trace.axes(name), trace.shape(name))) == len(trace.axes(name)):
        return place.address(trace, name)
    return place.address(trace, name, int(np.nan_to_num(_weighty(trace, name, place), nan=-np.inf).argmax()))


def _weighty(trace: Trace, name: str, place: Spot) -> Array:
    """How telling each number of a token's row is."""
    kind = trace.legend.kind(name)
    if kind in WEIGHED_BY:
        part = name.rpartition(".")[0]
        of_it = [other for other in trace.of_kind(*WEIGHED_BY[kind]) if other.rpartition(".")[0] == part]
        if of_it:
            return np.abs(row(trace, of_it[0], place))
    values = row(trace, name, place)
    return np.abs(values) if trace.axes(name)[-1] == "feature" else values
