"""What an operation is. Every other file here defines one, in this order: meaning, forward, backward, explain."""

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.frozen import frozen
from llmtrace.ops.part import Rule, by_rows
from llmtrace.ops.shapes import axes_by_letters, parse, solved


def by_letters(*tensors: Axes | None) -> Axes:
    """Stands for the names that follow from `Op.shapes` and `Op.out` (`llmtrace.ops.shapes.axes_by_letters`)."""
    raise NotImplementedError


class Shaped(Protocol):
    """An array, or what is known of one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""


@frozen
class Op:
    """One mathematical operation. The rule of arithmetic (docs/arithmetic.md) fixes every bit of it."""

    name: str
    formula: str
    """One line of mathematics, parentheses as computed."""
    meaning: Callable[..., Array]
    """The definition in plain NumPy, rounded step by step, left to right: `meaning(*inputs, *weights, **settings)`."""
    forward: Callable[..., Array]
    """The compiled kernels: the same bits. `forward(*inputs, *weights, **settings, empty=numpy.empty)`."""
    explain: Callable[[Derivation], None]
    """Writes down how one element is made, one elementary operation a line."""
    inputs: Axes
    """The names of the input tensors, in order; those that may be absent come last."""
    weights: Axes = ()
    """The names of the model's weights, after the inputs; a missing one is passed as None."""
    shapes: Mapping[str, str] = field(default_factory=dict)
    """Shape of every input, weight and setting in the letters of docs/notation.md; `*` is any leading axes. The few
    signs that are used are explained, and read by the contract tests, in `llmtrace.ops.shapes`."""
    out: str = "*"
    """Shape of the result in these letters; "* < V" where it is whole numbers."""
    axes: Callable[..., Axes] = by_letters
    """The axis names of the result, from those of the inputs and weights, where they do not just follow from the letters."""
    pointwise: bool = False
    """Whether a number of the result needs only the numbers at its own place."""
    along: Axes = ()
    """The letters, besides `*`, along which a place of the result needs only its own place in the inputs."""
    part: Rule | None = None
    """Which part of the inputs a part of the result needs (`llmtrace.ops.part`); None where it follows from the letters."""
    packed: Axes = ()
    """The weights that `forward` also takes packed (`llmtrace._kernels.pack`). Packing copies: they may be strided."""
    gathered: Axes = ()
    """The weights [V, C] of which `forward` reads single rows; it also takes them packed [C, V] as they are stored."""
    batch_strided: Axes = ()
    """The inputs whose blocks [rows, width] may lie apart in memory, as a cache with room to grow leaves them."""
    one_job: bool = False
    """Whether `forward` checks its inputs and runs one kernel once, and never looks at their numbers: then a model's run may do
    it later, together with the steps behind it, and again without checking anew (`llmtrace.trace.repeats`)."""
    backward: Callable[[Any], None] | None = None
    """Says the gradients of the inputs and weights, as ops, on a `llmtrace.ops.gradient.Gradient`; None where there are none
    (argmax), and for gradients themselves."""
    fixed: Axes = ()
    """The inputs that nothing learned can change, such as the angles of positions: no gradient is said of them."""
    how: str = ""
    """For readers, how the numbers are made, in one sentence out of the inputs {a} and {b}, whose rows have {n} numbers; where
    there is none, the formula says it."""

    def __post_init__(self) -> None:
        if self.axes is by_letters:
            tensors = [self.shapes[name] for name in self.tensors]
            object.__setattr__(self, "axes", axes_by_letters(tensors, self.out))

    @cached_property
    def rule(self) -> Rule:
        """Which part of the inputs a part of the result needs."""
        return self.part or by_rows({name: self.shapes[name] for name in self.inputs}, self.out, self.along)

    def result(
        self, operands: Mapping[str, Shaped | None], settings: Mapping[str, Any]
    ) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """The shape and the type that `forward` would give, from the shapes and types of the operands; ValueError where they do
        not go together.
        """
        found = solved(self.shapes, {n: None if x is None else x.shape for n, x in operands.items()}, settings)
        out = parse(self.out)
        reals = (x.dtype for n, x in operands.items() if x is not None and not parse(self.shapes[n]).below)
        dtype = np.dtype(np.int64) if out.below else next(reals, None)
        if found is None or dtype is None:
            shapes = ", ".join(f"{n} {x.shape}" for n, x in operands.items() if x is not None)
            raise ValueError(f"the shapes do not go together: {shapes}")
        return out.of(*found), dtype

    @cached_property
    def tensors(self) -> Axes:
        """The names of what `meaning` and `forward` take, in order: inputs, then weights."""
        return (*self.inputs, *self.weights)

    def optional(self, name: str) -> bool:
        """Whether the input or weight of this name may be absent: a bias, the initial value of a sum."""
        return self.shapes[name].endswith("?")


def expect_axes(array: Array, count: int, name: str) -> None:
    """ValueError where an array has fewer axes than the operation speaks of."""
    if array.ndim < count:
        axes = "1 axis" if count == 1 else f"{count} axes"
        raise ValueError(f"{name} must have at least {axes}, not shape {array.shape}")


def expect_real(array: Array, name: str) -> None:
    """TypeError where an array is not of float32 or float64 as this machine writes them."""
    if array.dtype not in (np.float32, np.float64) or not array.dtype.isnative:
        raise TypeError(f"{name} must be float32 or float64, not {array.dtype}")


def expect_batch_strided(array: Array, name: str) -> None:
    """ValueError where an array can't be blocks [rows, width], which may lie apart but by whole numbers."""
    expect_axes(array, 2, name)
    if not array.flags.aligned:
        raise ValueError(f"{name} must lie in memory at whole numbers (aligned): use np.ascontiguousarray")


def flatten_leading(array: Array, name: str, kept: int = 1) -> Array:
    """The same memory with all axes but the last `kept` made one, also where a size is 0; never a copy."""
    if array.ndim < kept:
        expect_axes(array, kept, name)
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned):
        raise ValueError(f"{name} must lie in memory without gaps (C-contiguous, aligned): use np.ascontiguousarray")
    if array.ndim <= kept + 1:
        return array if array.ndim > kept else array[None]
    return array.reshape(math.prod(array.shape[:-kept]), *array.shape[-kept:])


def new_array(empty: Empty, shape: tuple[int, ...], dtype: npt.DTypeLike, *inputs: object) -> Array:
    """The memory of a result, from `empty`; ValueError where some of it is that of an input, which it would overwrite."""
    out = empty(shape, dtype)
    for x in inputs:
        if isinstance(x, np.ndarray) and np.may_share_memory(out, x):
            raise ValueError("out lies in the memory of an input; a result needs memory of its own")
    return out


def ordered_sum(terms: Array) -> Array:
    """Σ along the last axis by the one rule: from +0 on, add the terms one by one in order, round each time."""
    total = np.zeros(terms.shape[:-1], terms.dtype)
    for k in range(terms.shape[-1]):
        total += terms[..., k]
    return total


def initial_sum(initial: Array | None, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Where sums begin: at +0, or at a copy of `initial`."""
    return np.zeros(shape, dtype) if initial is None else initial.copy()


def unravel_leading(leading: tuple[int, ...], *last: int) -> tuple[Any, ...]:
    """The index of all positions of the leading axes, in C order, at one place of the last axes."""
    if not leading:  # one position: still a row, of one number
        return tuple(np.array([place]) for place in last)
    return (*np.unravel_index(np.arange(math.prod(leading)), leading), *last)
