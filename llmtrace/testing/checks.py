"""What every op must keep: checks of one op with one set of arguments; AssertionError says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array
from llmtrace.ops import Op, Tensor
from llmtrace.testing.bounds import bound
from llmtrace.testing.compare import expect_same_bits, expect_within
from llmtrace.testing.descriptions import check_axes, check_formula
from llmtrace.testing.gradients import check_backward
from llmtrace.testing.parts import check_part
from llmtrace.testing.refusals import check_refusals
from llmtrace.testing.replays import check_explain
from llmtrace.testing.sampling import Arguments

__all__ = [
    "CHECKS",
    "check_axes",
    "check_backward",
    "check_bound",
    "check_explain",
    "check_formula",
    "check_forward",
    "check_part",
    "check_refusals",
]


def check_forward(op: Op, arguments: Arguments) -> None:
    """`forward` gives the bits of `meaning`, wherever it writes, however weights lie, and leaves its inputs alone."""
    before = arguments.copy()
    expected = np.asarray(arguments.call(op.meaning))
    for how, given, empty in _ways(op, arguments):
        given_out: list[Array] = []

        def remembered(
            shape: tuple[int, ...], dtype: npt.DTypeLike, empty: Any = empty, kept: list[Array] = given_out
        ) -> Array:
            kept.append(empty(shape, dtype))
            return kept[-1]

        out = given.call(op.forward, empty=remembered)
        expect_same_bits(out, expected, f"{op.name}{how}", arguments)
        if expected.size and not any(np.shares_memory(out, memory) for memory in given_out):
            raise AssertionError(f"{op.name}{how} does not write where `empty` says")
    if op.one_job:
        _expect_repeats(op, arguments, expected)
    for name, tensor in before.tensors.items():
        if tensor is not None:
            expect_same_bits(arguments.tensors[name], tensor, f"{op.name} has changed {name}: it", before)


def _expect_repeats(op: Op, arguments: Arguments, expected: Array) -> None:
    """A model that has done a step with other numbers of the same shapes may repeat its job with these."""
    turned = bool(arguments.settings.get("transposed", False))
    there = {name: array for name, array in arguments.tensors.items() if array is not None}
    given = {name: there[name] for name in op.inputs if name in there}
    others = {name: np.full_like(array, 0.5) for name, array in given.items()}
    earlier = arguments.having(**others, **{name: _kernels.pack(there[name], turned) for name in op.packed})
    out = earlier.call(op.forward, empty=stained)
    weights, queue = [earlier.tensors[name] for name in op.weights], _kernels.Queue(None)
    step = _kernels.repeat(op, [*others.values()], arguments.settings, weights, out)
    tensors = tuple([Tensor(name, array, ()) for name, array in given.items()])
    again = None if step is None else step.again(op, tensors, arguments.settings, stained, queue)
    if again is not None:
        queue.run()
        expect_same_bits(again, expected, f"{op.name}, repeated with other numbers,", arguments)


def _ways(op: Op, arguments: Arguments) -> list[tuple[str, Arguments, Callable[..., Array]]]:
    """Every way of calling that must not matter: (what to say, arguments, where to write)."""
    ways = [("", arguments, stained), (" in an arena", arguments, stained_arena())]
    for name in op.batch_strided:
        block = arguments.tensors[name]
        assert block is not None
        roomy = np.full((*block.shape[:-2], block.shape[-2] + 3, block.shape[-1]), np.nan, block.dtype)
        roomy[..., : block.shape[-2], :] = block
        ways.append(
            (f" with {name} in a roomy cache", arguments.having(**{name: roomy[..., : block.shape[-2], :]}), stained)
        )
    for name in op.packed:
        weight = arguments.tensors[name]
        assert weight is not None
        turned = bool(arguments.settings.get("transposed", False))
        packed = arguments.having(**{name: _kernels.pack(weight, turned)})
        ways.append((f" with {name} packed", packed, stained))
        ways.append(
            (f" with {name} strided", arguments.having(**{name: np.repeat(weight, 2, axis=1)[:, ::2]}), stained)
        )
        if "transposed" in op.shapes:
            other = arguments.having(**{name: np.ascontiguousarray(weight.T), "transposed": not turned})
            packed = other.having(**{name: _kernels.pack(np.ascontiguousarray(weight.T), not turned)})
            ways += [(f" with {name} turned", other, stained), (f" with {name} turned and packed", packed, stained)]
    return ways


def stained(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Like `numpy.empty`, but full of a number that nothing gives, so that a place which is not written is seen."""
    out = np.empty(shape, dtype)
    out.reshape(-1).view(np.uint8)[:] = 0xA5
    return out


def stained_arena() -> Callable[..., Array]:
    """The `empty` of an arena whose memory has been used before."""
    arena = _kernels.Arena()

    def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        used = arena.empty(tuple(shape), np.dtype(dtype))
        used.reshape(-1).view(np.uint8)[:] = 0xA5
        del used  # the next array of this size gets the same memory
        return np.asarray(arena.empty(tuple(shape), np.dtype(dtype)))

    return empty


def check_bound(op: Op, arguments: Arguments) -> None:
    """`meaning` in float32 and in float64 stays within the a-priori bound about an independent float64 calculation."""
    for dtype in (np.float32, np.float64):
        given = arguments.cast(np.float32).cast(dtype)
        value, error = bound(op, given, dtype)
        expect_within(given.call(op.meaning), value, error, f"the meaning of {op.name} in {np.dtype(dtype)}", given)


CHECKS: dict[str, Callable[..., None]] = {
    "forward": check_forward,
    "bound": check_bound,
    "backward": check_backward,
    "explain": check_explain,
    "refusals": check_refusals,
    "formula": check_formula,
    "axes": check_axes,
    "part": check_part,
}
