"""Which part of its operands an op needs for a part of its result, so that a few numbers can be computed again without the rest.

A part is a box: a range of places per axis. By default it follows from `Op.shapes`: the axes `*` of the result are those of the
inputs, place by place, and all other axes are needed as a whole. An op that needs other places says so in `Op.part`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.frozen import frozen
from llmtrace.ops.shapes import parse

Box = tuple[range, ...]
Shapes = Mapping[str, tuple[int, ...] | None]


@frozen
class Asked:
    """A part of a result, and what is known of the step that makes it."""

    box: Box
    """The places that are asked for."""
    shape: tuple[int, ...]
    """Of the whole result."""
    shapes: Shapes
    """Of the whole operands, by the op's names for them; None for one that is absent."""
    settings: Mapping[str, Any]
    read: Callable[[str], Array]
    """The numbers of a whole operand: for places that depend on numbers."""

    @property
    def whole(self) -> Box:
        """All places of the result."""
        return box_of(self.shape)

    def shape_of(self, operand: str) -> tuple[int, ...]:
        """The shape of an operand that is there."""
        shape = self.shapes[operand]
        assert shape is not None, operand
        return shape


@frozen
class Part:
    """What `forward` is to be given, and which part of the result it gives then."""

    box: Box
    """The places of the result: at least those that are asked for."""
    operands: Mapping[str, Box] = field(default_factory=dict)
    """The places of the operands that are needed; all of those that do not stand here."""
    instead: Mapping[str, Array] = field(default_factory=dict)
    """Operands that are another array for a part of the result, such as places counted from its beginning."""
    masked: float | None = None
    """What stands at the last places of each row where `forward` gives fewer: at keys that none of the queries sees."""


Rule = Callable[[Asked], Part]


def box_of(shape: tuple[int, ...]) -> Box:
    """All places of a tensor."""
    return tuple(map(range, shape))


def size_of_box(box: Box) -> tuple[int, ...]:
    """The shape of what lies in a box."""
    return tuple(map(len, box))


def is_place(index: Any) -> bool:
    """Whether an index is a whole number or a slice, each of which keeps the order of what it takes."""
    return isinstance(index, slice) or (isinstance(index, int | np.integer) and not isinstance(index, bool))


def covering(index: Sequence[Any]) -> Box:
    """The smallest box with all places of an index, whose entries are numbers from 0 or arrays of them."""
    spans = [(int(np.min(i)), int(np.max(i)) + 1) if np.size(i) else (0, 0) for i in index]
    return tuple(range(start, stop) for start, stop in spans)


def within(box: Box, outer: Box | None = None) -> tuple[slice, ...]:
    """The index of a box, in a whole tensor or in the part of it that lies in `outer`."""
    starts = [0] * len(box) if outer is None else [places.start for places in outer]
    return tuple(slice(places.start - s, places.stop - s) for places, s in zip(box, starts, strict=True))


def covers(outer: Box, box: Box) -> bool:
    """Whether all of `box` lies in `outer`."""
    return all(o.start <= b.start and b.stop <= o.stop for o, b in zip(outer, box, strict=True))


def joined(a: Box, b: Box) -> Box:
    """The smallest box that both lie in."""
    return tuple(range(min(x.start, y.start), max(x.stop, y.stop)) for x, y in zip(a, b, strict=True))


def whole(asked: Asked) -> Part:
    """The rule of an op of whose result no part can be computed alone."""
    return Part(asked.whole)


def by_rows(tensors: Mapping[str, str], out: str, along: Axes = ()) -> Rule:
    """The rule that follows from shapes: place by place along the leading axes and the letters `along`, else everything."""
    parsed, result = {name: parse(text) for name, text in tensors.items()}, parse(out)

    def rule(asked: Asked) -> Part:
        """The same places of every input."""
        leading = len(asked.shape) - len(result.sizes)
        if not result.leading and not along:
            return whole(asked)
        row = asked.box[:leading]
        places = {size: p for size, p in zip(result.sizes, asked.box[leading:], strict=True) if size in along}

        def part(sizes: tuple[str, ...], lengths: tuple[int, ...]) -> Box:
            return tuple(places.get(size, range(n)) for size, n in zip(sizes, lengths, strict=True))

        operands = {}
        for name, shape in parsed.items():
            lengths = asked.shapes[name]
            if lengths is not None and shape.leading:
                count = len(lengths) - len(shape.sizes)
                operands[name] = (*row[:count], *part(shape.sizes, lengths[count:]))
        return Part((*row, *part(result.sizes, asked.shape[leading:])), operands)

    return rule


def causal(queries: Axes = (), keys: Axes = (), pairs: Axes = (), masked: float | None = None) -> Rule:
    """The rule of attention: a query needs its own row, and of the keys those that it sees.

    queries, keys: the inputs [T, D] with a row for each query and [S, D] with one for each key; pairs: those [T, S] with both.
    masked: what stands at keys that a query does not see, where the result is [T, S].
    """

    def rule(asked: Asked) -> Part:
        """Queries a … b − 1 see the keys up to that of query b − 1; so the last query of a part still sees the last key."""
        *leading, places, last = asked.box
        every = asked.shape_of((keys or pairs)[0])[-2 if keys else -1]
        seen = range(every - asked.shape[-2] + places.stop)
        operands: dict[str, Box] = dict.fromkeys(pairs, (*leading, places, seen))
        operands |= {name: (*leading, places, range(asked.shape_of(name)[-1])) for name in queries}
        operands |= {name: (*leading, seen, range(asked.shape_of(name)[-1])) for name in keys}
        if masked is None or last.stop > len(seen):
            return Part((*leading, places, range(asked.shape[-1])), operands, masked=masked)
        return Part((*leading, places, seen), operands)

    return rule


def contiguous(array: Array) -> Array:
    """The same numbers as kernels want them: without gaps, and at whole places in memory."""
    return np.require(array, requirements=["C", "A"])


def batch_strided(array: Array) -> Array:
    """The same for an input that may be `batch_strided` (see `llmtrace.ops.op`): no copy where its blocks lie evenly apart."""
    leading, steps = array.shape[:-2], array.strides[:-2]
    evenly = all(
        size == 1 or step == below * inner
        for size, step, below, inner in zip(leading, steps, steps[1:], leading[1:], strict=False)
    )
    inside = array.ndim > 2 and array.size and array[(0,) * len(leading)].flags.c_contiguous
    return array if inside and evenly and array.flags.aligned else contiguous(array)
