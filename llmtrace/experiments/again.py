"""Doing a step again where something in its inputs has changed: only the numbers that can change are computed.

What a number of a result needs follows from the op's shapes (`llmtrace.ops.shapes`): along the leading axes `*` the number at the
same place, along T the same row, of a cache's P + T the keys up to the query; of every other axis, all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.bits import other_bits
from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.ops import OPS, Op
from llmtrace.ops.shapes import Shape, parse

Places = npt.NDArray[np.bool_]
KEYS = "P+T"
"""The axis of all keys, those of a cache first; a query sees those up to its own place."""


@frozen
class Operand:
    """An input or a weight of a step: its numbers as they are now, and where they have changed (None: nowhere)."""

    data: Array
    shape: Shape
    changed: Places | None
    packed: Any = None
    """A weight as the kernels like it best, if it has not changed."""

    @property
    def whole(self) -> Any:
        """What the op is given where it is given all of it."""
        return np.ascontiguousarray(self.data) if self.packed is None else self.packed


@dataclass
class Again:
    """The result of a step done again, and how much was computed for it."""

    data: Array
    changed: Places | None
    """Where its bits are others than before; None where nowhere."""
    computed: int
    """How many of its numbers were computed."""


def again(op: Op, operands: Sequence[Operand | None], settings: Mapping[str, Any], before: Array) -> Again:
    """The step's result, out of what it was `before` and of what can have changed in it."""
    out, computed = before.copy(), 0
    for arguments, text, place in _parts(op, operands, settings, before.shape):
        part = op.forward(*arguments, **settings)
        out[text][place] = part
        computed += part.size
    changed = other_bits(out, before)
    return Again(out, changed, computed) if changed.any() else Again(before, None, computed)


Part = tuple[list[Any], tuple[int, ...], Any]
"""What the op is given; and where in the result its result stands: in which text of a batch, and where in that."""


def _parts(
    op: Op, operands: Sequence[Operand | None], settings: Mapping[str, Any], shape: tuple[int, ...]
) -> Iterator[Part]:
    sizes = parse(op.out)
    if op.pointwise:
        places = np.logical_or.reduce([x.changed for x in operands if x is not None and x.changed is not None])
        yield [None if x is None else np.ascontiguousarray(x.data[places]) for x in operands], (), places
    elif not sizes.leading or "seed" in op.shapes or KEYS in sizes.sizes[:-1]:
        yield [None if x is None else x.whole for x in operands], (), ...
    elif any(x is not None and KEYS in x.shape.sizes for x in operands):
        yield from _queries(operands, sizes, len(shape))
    elif "T" in sizes.sizes:
        if _weights_changed(operands) or _elsewhere(operands):
            yield [None if x is None else x.whole for x in operands], (), ...
        else:
            yield from _positions(operands, sizes, len(shape))
    else:
        yield from _rows(op, operands, settings, sizes, shape)


def _weights_changed(operands: Sequence[Operand | None]) -> bool:
    return any(x is not None and x.changed is not None and not x.shape.leading for x in operands)


def _elsewhere(operands: Sequence[Operand | None]) -> bool:
    """Whether one of them stands in another text, whose places are not those of the result."""
    return any(x is not None and x.shape.leading and "T" not in x.shape.sizes for x in operands)


def _rows(
    op: Op, operands: Sequence[Operand | None], settings: Mapping[str, Any], sizes: Shape, shape: tuple[int, ...]
) -> Iterator[Part]:
    """Along the leading axes, those places whose row has changed; all where a weight has; of a matrix some columns."""
    leading = len(shape) - len(sizes.sizes)
    rows: Any = np.zeros(shape[:leading], bool)
    for x in operands:
        if x is not None and x.shape.leading and x.changed is not None:
            rows |= x.changed.reshape(*shape[:leading], -1).any(-1)
    if _weights_changed(operands):
        columns, looked_up = _columns(op, operands, settings), _looked_up(operands)
        if looked_up is not None:
            rows |= looked_up
        elif columns is None:
            rows[...] = True
        elif columns.size:
            yield [_columns_of(x, settings, columns) for x in operands], (), (..., columns)
    if rows.any():
        yield (
            [x if x is None else np.ascontiguousarray(x.data[rows]) if x.shape.leading else x.whole for x in operands],
            (),
            rows,
        )


def _looked_up(operands: Sequence[Operand | None]) -> Places | None:
    """Where a changed row of a table is looked up; None where the op looks up none."""
    ids = next((x for x in operands if x is not None and x.shape.below), None)
    table = next(
        (x for x in operands if x is not None and ids is not None and x.shape.sizes[:1] == (ids.shape.below,)), None
    )
    if ids is None or table is None:
        return None
    changed: Any = np.zeros(len(table.data), bool) if table.changed is None else table.changed.any(1)
    return np.asarray(changed[ids.data])


def _columns(op: Op, operands: Sequence[Operand | None], settings: Mapping[str, Any]) -> npt.NDArray[np.intp] | None:
    """The outputs of a linear layer whose weights have changed; None where the op is none."""
    if [*op.shapes.values()][:3] != ["* K", "K N", "N ?"]:
        return None
    _x, weight, bias = operands
    assert weight is not None
    found = np.zeros(weight.data.shape[0 if settings.get("transposed") else 1], bool)
    if weight.changed is not None:
        found |= weight.changed.any(1 if settings.get("transposed") else 0)
    if bias is not None and bias.changed is not None:
        found |= bias.changed
    return np.flatnonzero(found)


def _columns_of(x: Operand | None, settings: Mapping[str, Any], columns: npt.NDArray[np.intp]) -> Any:
    if x is None or x.shape.leading:
        return None if x is None else x.data
    axis = 0 if len(x.shape.sizes) == 1 or settings.get("transposed") else 1
    return np.ascontiguousarray(np.take(x.data, columns, axis))


def _positions(operands: Sequence[Operand | None], sizes: Shape, axes: int) -> Iterator[Part]:
    """The rows T that have changed, text by text."""
    leading = axes - len(sizes.sizes)
    place = leading + sizes.sizes.index("T")
    changed = [(x, _along(x, leading)) for x in operands if x is not None and x.changed is not None]
    for text in np.ndindex(changed[0][1].shape[:leading]):
        rows = np.flatnonzero(np.logical_or.reduce([found[text] for _, found in changed]))
        if not rows.size:
            continue
        arguments = []
        for x in operands:
            if x is None or not x.shape.leading:
                arguments.append(None if x is None else x.whole)
            else:
                arguments.append(np.ascontiguousarray(np.take(x.data[text], rows, x.shape.sizes.index("T"))))
        index: list[Any] = [slice(None)] * (place - leading)
        yield arguments, text, (*index, rows)


def _along(x: Operand, leading: int) -> Places:
    """Where along its leading axes and T a tensor has changed."""
    assert x.changed is not None
    kept = {*range(leading), leading + x.shape.sizes.index("T")}
    return np.asarray(x.changed.any(tuple(axis for axis in range(x.data.ndim) if axis not in kept)))


def _queries(operands: Sequence[Operand | None], sizes: Shape, axes: int) -> Iterator[Part]:
    """The queries that have changed, or that see a key that has; each sees the keys up to its own place."""
    leading = axes - len(sizes.sizes)
    given = [x for x in operands if x is not None]
    count = next(x.data.shape[leading] for x in given if x.shape.sizes[0] == "T")
    past = next(x.data.shape[leading + x.shape.sizes.index(KEYS)] for x in given if KEYS in x.shape.sizes) - count
    for head in np.ndindex(given[0].data.shape[:leading]):
        rows = np.zeros(count, bool)
        for x in given:
            found = None if x.changed is None else x.changed[head].reshape(x.data.shape[leading], -1).any(-1)
            if found is not None and x.shape.sizes[0] == "T":
                rows |= found
            elif found is not None and found.any():
                rows[max(0, int(found.argmax()) - past) :] = True
        for first, end in _runs(rows):
            seen = {"T": slice(first, end), KEYS: slice(0, past + end)}
            arguments = [np.ascontiguousarray(x.data[head][_index(x.shape, seen)]) for x in given]
            yield arguments, head, _index(sizes, seen)


def _index(shape: Shape, seen: Mapping[str, slice]) -> tuple[slice, ...]:
    return tuple(seen.get(size, slice(None)) for size in shape.sizes)


def _runs(rows: Places) -> Iterator[tuple[int, int]]:
    """The stretches of True: first, and the one behind the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rows, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def work(op: str, operands: Sequence[tuple[int, ...] | None], settings: Mapping[str, Any]) -> int:
    """About how many operations a number of the result takes: the product of the sizes that are summed over."""
    shapes = [parse(text) for text in (OPS[op].shapes[name] for name in OPS[op].tensors)]
    kept = {letter for size in parse(OPS[op].out).sizes for letter in size.replace("+", "·").split("·")}
    summed: dict[str, int] = {}
    for shape, sizes in zip(shapes, operands, strict=True):
        if sizes is not None:
            if len(sizes) == 2 and not shape.leading and settings.get("transposed"):
                sizes = sizes[::-1]
            named = zip(reversed(shape.sizes), reversed(sizes), strict=False)
            summed |= {name: size for name, size in named if not kept.issuperset(name.replace("+", "·").split("·"))}
    return max(1, math.prod(summed.values()))
