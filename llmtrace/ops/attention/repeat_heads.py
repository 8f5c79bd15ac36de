"""Grouped queries (Ainslie et al. 2023, arXiv:2305.13245): several heads of queries share one head of keys and values."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided, expect_real, new_array
from llmtrace.ops.shapes import expect_within


def meaning(x: Array, *, copies: int) -> Array:
    """x [*, G, T, D] → [*, G·R, T, D]: head g is copied to the heads g·R … g·R + R − 1, R = `copies`."""
    return np.repeat(x, copies, axis=-3)


def forward(x: Array, *, copies: int, empty: Empty = np.empty) -> Array:
    """`meaning`, copied to `empty`."""
    expect_within("count", copies=copies)
    expect_axes(x, 3, "x")
    expect_real(x, "x")
    expect_batch_strided(x, "x")
    expect_whole_rows(x)
    *leading, heads, positions, features = x.shape
    out = new_array(empty, (*leading, heads * copies, positions, features), x.dtype, x)
    out.reshape(*leading, heads, copies, positions, features)[...] = x[..., None, :, :]
    return out


def expect_whole_rows(x: Array) -> None:
    """ValueError where the rows of a head have gaps; heads may lie apart, if evenly, as a cache with room to grow leaves them."""
    if not x.size:
        return
    even = all(
        x.strides[axis] == x.strides[axis + 1] * x.shape[axis + 1] for axis in range(x.ndim - 3) if x.shape[axis] > 1
    )
    if not (even and x[(0,) * (x.ndim - 2)].flags.c_contiguous):
        raise ValueError("x must lie in memory without gaps, or its heads evenly apart: use np.ascontiguousarray")


def backward(g: Gradient) -> None:
    """Every copy has its part in the gradient of the one head."""
    g.accumulate("x", sum_heads, g.dout, copies=g.settings["copies"])


def explain(w: Derivation) -> None:
    """Nothing is computed: the number is that of the shared head."""
    *leading, head, position, feature = w.index
    w.take("out", w["x"][(*leading, head // w.settings["copies"], position, feature)])


def axes(x: Axes) -> Axes:
    """Those of x; only the number of heads differs."""
    return x


repeat_heads = Op(
    "repeat_heads",
    N_("x, each head several times"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* G T D", "copies": "R≥1"},
    out="* G·R T D",
    along=("T",),
    axes=axes,
    batch_strided=("x",),
    backward=backward,
    how=N_("the numbers of {a}, copied for all that share them"),
)


# ---- its gradient ----------------------------------------------------------------------------------------------------


def sum_meaning(x: Array, *, copies: int) -> Array:
    """x [*, G·R, T, D] → [*, G, T, D]: the sum of the heads g·R … g·R + R − 1, ascending, R = `copies`."""
    *leading, heads, positions, features = x.shape
    parts = x.reshape(*leading, heads // copies, copies, positions, features)
    total = np.zeros((*leading, heads // copies, positions, features), x.dtype)
    for copy in range(copies):
        total += parts[..., copy, :, :]
    return total


def sum_forward(x: Array, *, copies: int, empty: Empty = np.empty) -> Array:
    """`sum_meaning`, written to `empty`."""
    expect_within("count", copies=copies)
    expect_axes(x, 3, "x")
    expect_real(x, "x")
    if not (x.flags.c_contiguous and x.flags.aligned):
        raise ValueError("x must lie in memory without gaps (C-contiguous, aligned): use np.ascontiguousarray")
    *leading, heads, positions, features = x.shape
    if heads % copies:
        raise ValueError(f"{heads} heads are no groups of {copies}")
    out = new_array(empty, (*leading, heads // copies, positions, features), x.dtype, x)
    with np.errstate(all="ignore"):
        out[...] = sum_meaning(x, copies=copies)
    return out


def sum_explain(w: Derivation) -> None:
    """One sum over the heads that shared this one."""
    *leading, head, position, feature = w.index
    copies = w.settings["copies"]
    w.sum("out", w["x"][(*leading, slice(head * copies, (head + 1) * copies), position, feature)])


sum_heads = Op(
    "sum_heads",
    N_("Σ x, over the heads that share one"),
    sum_meaning,
    sum_forward,
    sum_explain,
    inputs=("x",),
    shapes={"x": "* G·R T D", "copies": "R≥1"},
    out="* G T D",
    along=("T",),
    axes=axes,
    how=N_("the numbers of {a}, added up over all that share one"),
)
