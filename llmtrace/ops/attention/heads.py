"""Features split into attention heads, and merged again: each op is the gradient of the other."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes


def split_meaning(x: Array, *, heads: int) -> Array:
    """x [*, T, H·D] → [*, H, T, D]: feature h·D + d becomes feature d of head h."""
    return np.moveaxis(x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads), -2, -3).copy()


def split_forward(x: Array, *, heads: int, empty: Empty = np.empty) -> Array:
    """`split_meaning`, compiled."""
    expect_axes(x, 2, "x")
    *leading, positions, features = x.shape
    if heads < 1 or features % heads:
        raise ValueError(f"{features} features can't be split into {heads} heads")
    out = empty((*leading, heads, positions, features // heads), x.dtype)
    _kernels.move_heads(x, out, merged=False)
    return out


def split_backward(g: Gradient) -> None:
    """A permutation: its gradient is the inverse one."""
    g.accumulate("x", merge_heads, g.dout)


def split_explain(w: Derivation) -> None:
    """The number stands in another place."""
    *leading, head, position, feature = w.index
    w.take("out", w["x"][(*leading, position, head * w.shape[-1] + feature)])


def split_axes(x: Axes) -> Axes:
    """A head axis before the positions."""
    return (*x[:-2], "head", x[-2], "feature")


def merge_meaning(x: Array) -> Array:
    """x [*, H, T, D] → [*, T, H·D]: feature d of head h becomes feature h·D + d."""
    joined = np.moveaxis(x, -3, -2)
    return joined.reshape(*joined.shape[:-2], x.shape[-3] * x.shape[-1])


def merge_forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """`merge_meaning`, compiled."""
    expect_axes(x, 3, "x")
    *leading, heads, positions, features = x.shape
    if not heads:
        raise ValueError(f"x has shape {x.shape}: there must be at least one head")
    out = empty((*leading, positions, heads * features), x.dtype)
    _kernels.move_heads(x, out, merged=True)
    return out


def merge_backward(g: Gradient) -> None:
    """A permutation: its gradient is the inverse one."""
    g.accumulate("x", split_heads, g.dout, heads=g["x"].data.shape[-3])


def merge_explain(w: Derivation) -> None:
    """The number stands in another place."""
    *leading, position, column = w.index
    x = w["x"]
    head, feature = divmod(column, x.shape[-1])
    w.take("out", x[(*leading, head, position, feature)])


def merge_axes(x: Axes) -> Axes:
    """The heads disappear among the features."""
    return (*x[:-3], x[-2], "feature")


split_heads = Op(
    "split_heads",
    N_("x, head by head"),
    split_meaning,
    split_forward,
    split_explain,
    inputs=("x",),
    shapes={"x": "* T H·D", "heads": "H≥1"},
    out="* H T D",
    along=("T",),
    axes=split_axes,
    backward=split_backward,
    one_job=True,
    how=N_("the numbers of {a}, dealt out to the heads"),
)
merge_heads = Op(
    "merge_heads",
    N_("x, heads side by side"),
    merge_meaning,
    merge_forward,
    merge_explain,
    inputs=("x",),
    shapes={"x": "* H≥1 T D"},
    out="* T H·D",
    along=("T",),
    axes=merge_axes,
    backward=merge_backward,
    one_job=True,
    how=N_("the numbers of {a}, the heads side by side"),
)
