"""Hypothesis strategies: arrays with every kind of number, and argument sets for any op, from `Op.shapes`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from llmtrace.arithmetic.types import Array
from llmtrace.ops import Op
from llmtrace.ops.shapes import Shape, letters
from llmtrace.testing.sampling import FLOATS, SMALL, Arguments, assemble, filled, sample, setting_pool, specials

__all__ = ["Arguments", "arguments", "arrays"]

Draw = Callable[[st.SearchStrategy[Any]], Any]
# A strategy is drawn from faster the second time: those that need no more than this are made once.
SEEDS = st.integers(0, 2**64 - 1)
TYPES = st.sampled_from(FLOATS)
FEW = st.sampled_from((1, 2, SMALL, 0, 1))
LEAD = st.lists(st.integers(0, SMALL), max_size=1)
ABSENT = st.booleans()


@cache
def numbers(dtype: np.dtype[Any], special: bool) -> st.SearchStrategy[float]:
    """One float of the type: any at all, or, not special, an ordinary one of at most 8 in size."""
    width: Any = dtype.itemsize * 8
    ordinary = st.floats(-8, 8, width=width, allow_subnormal=False)
    return st.one_of(ordinary, st.sampled_from(specials(dtype)), st.floats(width=width)) if special else ordinary


@cache
def row(size: int, dtype: np.dtype[Any], special: bool) -> st.SearchStrategy[list[float]]:
    """So many of them."""
    return st.lists(numbers(dtype, special), min_size=size, max_size=size)


@st.composite
def arrays(draw: Draw, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32, special: bool = True) -> Array:
    """Arrays of this shape and type: the numbers of small ones drawn one by one, those of others from a seed.

    `special`: with NaN, ±∞, −0, subnormal and huge numbers among them; otherwise ordinary finite ones.
    """
    size = math.prod(shape)
    if size > SMALL**3:
        return filled(np.random.default_rng(draw(SEEDS)), shape, dtype, special)
    return np.array(draw(row(size, np.dtype(dtype), special)), dtype).reshape(shape)


small_array = cache(arrays)


def arguments(
    op: Op, dtype: npt.DTypeLike | None = None, special: bool = True, small: bool | None = None
) -> st.SearchStrategy[Arguments]:
    """Full argument sets for an op: its tensors in one type (drawn, or `dtype`), all sizes as `Op.shapes` wants them.

    `special` as for `arrays`. `small`: only sizes up to 3 (True), whose failures are easy to see, or only sets from a
    seed, with sizes up to some hundreds (False); both by default.
    """
    if small is None:
        return st.one_of(few(op, dtype, special), arguments(op, dtype, special, small=False))
    return few(op, dtype, special) if small else SEEDS.map(lambda seed: sample(op, seed, dtype, special))


@st.composite
def few(draw: Draw, op: Op, dtype: npt.DTypeLike | None, special: bool) -> Arguments:
    """Argument sets of sizes up to `SMALL`."""
    real = np.dtype(dtype) if dtype is not None else draw(TYPES)
    known = {letter: max(low, draw(FEW)) for letter, low in letters(op.shapes).items()}
    lead = tuple(draw(LEAD))

    def fill(shape: Shape, size: tuple[int, ...]) -> Array | None:
        if shape.below:
            return np.random.default_rng(draw(SEEDS)).integers(0, max(1, known[shape.below]), size)
        if shape.optional and draw(ABSENT):
            return None
        return np.asarray(draw(small_array(size, real, special)))

    pools = {name: setting_pool(op.shapes[name], known, special) for name in op.shapes if name not in op.tensors}
    return assemble(op, lead, known, fill, {name: draw(st.sampled_from(pool)) for name, pool in pools.items()})
