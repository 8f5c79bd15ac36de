"""The check that an op's parts are right: a part of the result, from the parts of the inputs that the op says it needs."""

from __future__ import annotations

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.ops import Op
from llmtrace.ops.part import Asked, Box, box_of, contiguous, covers, size_of_box, within
from llmtrace.testing.compare import expect_same_bits
from llmtrace.testing.sampling import Arguments

TRIES = 4


def check_part(op: Op, arguments: Arguments) -> None:
    """Parts of the result have the bits that stand there in the whole; the shape and type of the whole are foretold."""
    expected = np.asarray(arguments.call(op.forward))
    foretold = op.result(arguments.tensors, arguments.settings)
    if foretold != (expected.shape, expected.dtype):
        raise AssertionError(f"{op.name} gives {expected.dtype} {expected.shape}, not {foretold}, for {arguments}")
    if not expected.size:
        return
    rng = np.random.default_rng(expected.size)
    for _try in range(TRIES):
        ends = [sorted(rng.integers(0, n, 2).tolist()) for n in expected.shape]
        _check(op, arguments, expected, tuple(range(a, b + 1) for a, b in ends))


def _check(op: Op, arguments: Arguments, expected: Array, box: Box) -> None:
    def read(name: str) -> Array:
        tensor = arguments.tensors[name]
        assert tensor is not None
        return tensor

    shapes = {name: None if tensor is None else tensor.shape for name, tensor in arguments.tensors.items()}
    part = op.rule(Asked(box, expected.shape, shapes, arguments.settings, read))
    if not covers(part.box, box) or not covers(box_of(expected.shape), part.box):
        raise AssertionError(f"{op.name} gives {part.box} where {box} is asked for")
    given = {name: contiguous(read(name)[within(places)]) for name, places in part.operands.items()}
    try:
        out = np.asarray(arguments.having(**{**given, **part.instead}).call(op.forward))
    except ValueError as error:
        raise AssertionError(f"{op.name} can't be done with the parts that it asks for: {error}") from error
    whole = np.full(size_of_box(part.box), 0 if part.masked is None else part.masked, expected.dtype)
    if part.masked is None and out.shape != whole.shape:
        raise AssertionError(f"{op.name} gives {out.shape} where it says {whole.shape}")
    whole[(..., slice(out.shape[-1])) if out.ndim else ()] = out
    expect_same_bits(whole, expected[within(part.box)], f"{op.name} in the places {part.box}", arguments)
