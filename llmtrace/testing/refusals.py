"""The check of refusals: what an op can't use it refuses, with TypeError or ValueError, before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array
from llmtrace.ops import Op
from llmtrace.ops.shapes import fits, parse
from llmtrace.testing.compare import described
from llmtrace.testing.sampling import Arguments

__all__ = ["check_refusals"]

ALIGNMENT = 8  # bytes: of every type that ops take

Wrong = Iterator[tuple[str, Arguments]]


def check_refusals(op: Op, arguments: Arguments) -> None:
    """Strided or unaligned memory, another type, another shape, an impossible setting or row, a result in the memory of an
    input: each is refused.
    """
    for wrong in (wrong_memory, wrong_types, wrong_shapes, wrong_values):
        for what, changed in wrong(op, arguments):
            expect_refusal(op, what, changed)
    expect_no_overlap(op, arguments)


def expect_refusal(op: Op, what: str, arguments: Arguments) -> None:
    """AssertionError unless `op.forward` raises TypeError or ValueError (IndexError for a row that is not there) and
    has written nothing.
    """
    given: list[Array] = []

    def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        given.append(np.full(shape, 77, dtype))
        return given[-1]

    try:
        arguments.call(op.forward, empty=empty)
    except (TypeError, ValueError) as error:
        if not str(error):
            raise AssertionError(f"{op.name} refuses {what}, but does not say why{described(arguments)}") from error
    except IndexError as error:
        if not what.startswith("the row"):
            raise AssertionError(f"{op.name} refuses {what} with IndexError: {error}{described(arguments)}") from error
    else:
        raise AssertionError(f"{op.name} does not refuse {what}{described(arguments)}")
    if any((memory != 77).any() for memory in given):
        raise AssertionError(f"{op.name} refuses {what}, but only after writing{described(arguments)}")


def expect_no_overlap(op: Op, arguments: Arguments) -> None:
    """AssertionError unless `op.forward` refuses to write in the memory of an input: the same, or one that only begins there."""
    usual = np.asarray(arguments.call(op.meaning))
    for name, tensor in present(arguments).items():
        if not (tensor.size and usual.size):
            continue
        for first in {0, (tensor.nbytes - 1) // ALIGNMENT * ALIGNMENT}:
            room = np.zeros(tensor.nbytes + usual.nbytes, np.uint8)
            shared = room[: tensor.nbytes].view(tensor.dtype).reshape(tensor.shape)
            shared[...] = tensor
            out = room[first : first + usual.nbytes].view(usual.dtype).reshape(usual.shape)
            before, changed = room.copy(), arguments.having(**{name: shared})
            try:
                changed.call(op.forward, empty=lambda shape, dtype, out=out: out)
            except ValueError as error:
                if "memory" not in str(error):
                    raise AssertionError(f"{op.name} refuses a result in the memory of {name}: {error}") from error
            else:
                raise AssertionError(f"{op.name} does not refuse a result in the memory of {name}{described(changed)}")
            if (room != before).any():
                raise AssertionError(
                    f"{op.name} refuses a result in the memory of {name}, but only after writing there"
                )


def present(arguments: Arguments) -> dict[str, Array]:
    """The tensors that are not None."""
    return {name: tensor for name, tensor in arguments.tensors.items() if tensor is not None}


def wrong_memory(op: Op, arguments: Arguments) -> Wrong:
    """The right numbers with gaps, in Fortran's order, or at odd addresses (not for weights: packing copies)."""
    for name, tensor in present(arguments).items():
        if name in op.packed or not tensor.size:
            continue
        if tensor.ndim and tensor.size > 1 and not (name in op.batch_strided and tensor.shape[-1] == 1):
            yield f"{name} with gaps", arguments.having(**{name: np.repeat(tensor, 2, axis=-1)[..., ::2]})
        fortran = np.array(tensor, order="F")
        if not fortran.flags.c_contiguous:
            yield f"{name} in Fortran's order", arguments.having(**{name: fortran})
        if name in op.batch_strided and tensor.ndim == 3 and len(tensor) > 1:
            room = np.zeros(len(tensor) * (tensor[0].nbytes + 2), np.uint8)
            uneven = np.ndarray(tensor.shape, tensor.dtype, room, 0, (tensor[0].nbytes + 2, *tensor.strides[1:]))
            yield f"{name} with blocks between whole numbers", arguments.having(**{name: uneven})
        odd = np.frombuffer(b"?" + tensor.tobytes(), tensor.dtype, offset=1).reshape(tensor.shape)
        yield f"{name} at an odd address", arguments.having(**{name: odd})


def wrong_types(op: Op, arguments: Arguments) -> Wrong:
    """Another type for one tensor, the bytes in the other order, two types at once, all in a type that is not taken."""
    reals = [name for name, tensor in present(arguments).items() if tensor.dtype.kind == "f"]
    for name, tensor in present(arguments).items():
        if tensor.dtype.kind != "f":
            others: list[Any] = [np.int32, np.uint64, np.float64]
        else:
            others = [np.float16, np.int64, np.complex64]
            if len(reals) > 1:
                others.append(np.float64 if tensor.dtype == np.float32 else np.float32)
        if name not in op.packed:
            others.append(tensor.dtype.newbyteorder())
        for other in others:
            changed = np.zeros(tensor.shape, other)
            yield f"{name} in {changed.dtype.str}", arguments.having(**{name: changed})
    yield "float16", arguments.cast(np.float16)
    yield "the other byte order", arguments.cast(np.dtype(arguments.tensors[reals[0]].dtype).newbyteorder())  # type: ignore[union-attr]
    yield from wrong_types_packed(op, arguments)


def wrong_types_packed(op: Op, arguments: Arguments) -> Wrong:
    """A packed weight with inputs of another type or width."""
    for name in op.packed:
        weight = arguments.tensors[name]
        assert weight is not None
        turned = bool(arguments.settings.get("transposed", False))
        other = np.zeros(weight.shape, np.float64 if weight.dtype == np.float32 else np.float32)
        yield f"{name} packed in {other.dtype}", arguments.having(**{name: _kernels.pack(other, turned)})
        long = np.zeros(np.add(weight.shape, (0, 1) if turned else (1, 0)), weight.dtype)
        yield f"{name} packed with another depth", arguments.having(**{name: _kernels.pack(long, turned)})


def wrong_shapes(op: Op, arguments: Arguments) -> Wrong:
    """One axis longer, shorter, fewer or more, wherever the sizes then no longer go together."""
    shapes = {name: None if tensor is None else tensor.shape for name, tensor in arguments.tensors.items()}
    for name, tensor in present(arguments).items():
        shape = tensor.shape
        longer = [(*shape[:i], size + 1, *shape[i + 1 :]) for i, size in enumerate(shape)]
        shorter = [(*shape[:i], size - 1, *shape[i + 1 :]) for i, size in enumerate(shape) if size]
        fewer_or_more = [shape[i:] for i in range(1, len(shape) + 1)] + [(1, *shape), (2, *shape)]
        for other in (*longer, *shorter, *fewer_or_more):
            if not fits(op.shapes, {**shapes, name: other}, arguments.settings):
                yield f"{name} of shape {other}", arguments.having(**{name: np.zeros(other, tensor.dtype)})


def wrong_values(op: Op, arguments: Arguments) -> Wrong:
    """Rows that the table does not have; sizes in settings that do not fit."""
    shapes = {name: None if tensor is None else tensor.shape for name, tensor in arguments.tensors.items()}
    for name, value in arguments.settings.items():
        if not isinstance(value, bool) and isinstance(value, int):
            for other in (0, -1, value + 1):
                if not fits(op.shapes, shapes, {**arguments.settings, name: other}):
                    yield f"{name} = {other}", arguments.having(**{name: other})
    outside: dict[str, tuple[Any, ...]] = {"flag": (2, 0.5, "yes")}
    outside |= {"rate": (-0.1, 1.0, math.inf, math.nan), "whole": (-1, 0.5, 1 << 54), "count": (0, -1)}
    outside |= {"share": (0.0, -0.1, 1.1, math.inf, math.nan)}
    for name in arguments.settings:
        for bad in outside.get(op.shapes[name], ()):
            yield f"{name} = {bad}", arguments.having(**{name: bad})
    for name, tensor in present(arguments).items():
        letter = parse(op.shapes[name]).below
        if not letter or not tensor.size:
            continue
        for row in (-1, rows_named(op, arguments, letter), 2**62):
            ids = tensor.copy()
            ids.reshape(-1)[-1] = row
            yield f"the row {row}", arguments.having(**{name: ids})


def rows_named(op: Op, arguments: Arguments, letter: str) -> int:
    """The size that a letter stands for, found in the tensor that has an axis of it."""
    for name, tensor in present(arguments).items():
        names = parse(op.shapes[name]).sizes
        if letter in names:
            return int(tensor.shape[names.index(letter) - len(names)])
    for name, value in arguments.settings.items():
        if op.shapes[name] == letter:
            return int(value)
    raise ValueError(f"no tensor of {op.name} has the size {letter}")
