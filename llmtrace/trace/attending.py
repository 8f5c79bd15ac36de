"""Attention whose scores and pattern a run does not keep: its steps are only written down, and done together with the mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops import OPS, Op, Tensor
from llmtrace.trace.repeats import Pending

MIXES = {"attention_mix": ("causal_softmax", "attention_scores"), "full_mix": ("softmax", "full_scores")}
"""The ops that end such steps, and those that must have made their pattern, and its scores."""
BEGINNINGS = frozenset({"attention_scores", "full_scores", "repeat_heads"})
BETWEEN = frozenset({"causal_softmax", "softmax", "scale"})
PARTS = BEGINNINGS | BETWEEN | MIXES.keys()
"""The names of the ops that can be such steps."""

SETTINGS = {"scale": {"factor"}, "repeat_heads": {"copies"}}
"""What those of them must be told that have settings."""

NOTHING: Array = np.empty(0)


class Unkept(Pending):
    """The result of a step that nobody keeps: its numbers are made where somebody asks for them all the same."""

    op: Op
    inputs: Sequence[Tensor]
    settings: Mapping[str, Any]
    described: Array | None
    """An array of its shape and type without numbers; None where none was needed."""
    make: Callable[[Unkept, bool], Tensor]
    """Does the step: behind those that wait in the queue, or at once."""

    @cached_property
    def numbers(self) -> Array:
        """What comes out when the step is done at once, as any thread may ask for it."""
        return self.make(self, False).data

    @cached_property
    def waiting(self) -> Tensor:
        """What comes out when the step waits in the queue."""
        return self.make(self, True)

    @property
    def data(self) -> Array:
        """The numbers."""
        return self.numbers

    @property
    def outline(self) -> Array:
        """An array of its shape and type, at whose numbers nobody may look."""
        return self.waiting.outline if self.described is None else self.described

    def taken_by(self, queue: _kernels.Queue | None) -> Array:
        """The array, for a step that is done behind all that wait in this queue."""
        return self.waiting.taken_by(queue) if queue is self.queue else self.numbers


def plain(op: Op, inputs: Sequence[Tensor], settings: Mapping[str, Any]) -> bool:
    """Whether a step is given what its op takes, and nothing else."""
    return len(inputs) == len(op.inputs) and settings.keys() == SETTINGS.get(op.name, set())


class Attention(NamedTuple):
    """What a mix is made of."""

    q: Tensor
    k: Tensor
    v: Tensor
    copies: int
    """So many heads of queries share one of keys and values."""
    factor: float
    """What the scores are multiplied by."""
    full: bool
    """Whether no key is masked."""

    def mixed(self, queue: _kernels.Queue, empty: Empty) -> Array:
        """The mix, when the queue has run, in memory that `empty` hands out; ValueError where they do not go together."""
        q, k, v = (x.taken_by(queue) for x in (self.q, self.k, self.v))
        out = empty(q.shape, q.dtype)
        _kernels.attend(q, k, v, out, self.copies, self.factor, self.full, queue)
        return out


def by(name: str, x: Tensor) -> Unkept | None:
    """A tensor, if it is what a step of the op of this name would give that is only written down."""
    return x if isinstance(x, Unkept) and x.op.name == name and x.op is OPS[name] else None


def attention_of(op: Op, pattern: Tensor, v: Tensor) -> Attention | None:
    """What a mix `op` of this pattern and these values is made of; None where the pattern has come about in another way."""
    share, fit = MIXES[op.name]
    shares, factor, copies = by(share, pattern), 1.0, 1
    if shares is None or op is not OPS[op.name]:
        return None
    scaled = by("scale", shares.inputs[0])
    if scaled is not None:
        factor = scaled.settings["factor"]
    scores = by(fit, (scaled or shares).inputs[0])
    if scores is None:
        return None
    q, k = scores.inputs
    keys, values = by("repeat_heads", k), by("repeat_heads", v)
    if keys is not None and values is not None and keys.settings == values.settings:
        copies, k, v = keys.settings["copies"], keys.inputs[0], values.inputs[0]
    return Attention(q, k, v, copies, factor, op.name == "full_mix")
