"""A linear layer over the merged attention heads: the output projection."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.heads import merge_heads, split_heads
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.linear.linear import explain_output, linear, pack
from llmtrace.ops.linear.linear import meaning as linear_of
from llmtrace.ops.linear.sum_outer_products import sum_outer_products
from llmtrace.ops.linear.sum_positions import sum_positions
from llmtrace.ops.op import Op, flatten_leading, new_array


def meaning(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x [*, H, T, D], weight [H·D, N] → [*, T, N]: input k = h·D + d is feature d of head h."""
    joined = np.moveaxis(x, -3, -2)
    return linear_of(joined.reshape(*joined.shape[:-2], x.shape[-3] * x.shape[-1]), weight, bias)


def forward(x: Array, weight: Array, bias: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled: each input is read from the layout of the heads."""
    rows, packed = flatten_leading(x, "x", 3), pack(weight)
    *leading, heads, positions, _features = x.shape
    if not heads:
        raise ValueError(f"x has shape {x.shape}: there must be at least one head")
    out = new_array(empty, (*leading, positions, packed.columns), x.dtype, weight)
    _kernels.matmul(rows, packed, bias, flatten_leading(out, "out"))
    return out


def backward(g: Gradient) -> None:
    """out = Σ merge(x)·weight + bias:  the gradients of a linear layer over merged heads; that of x is split into heads again."""
    if g.wants("x"):
        beside = g.do("beside", linear, g.dout, g["weight"], None, transposed=True)
        g.accumulate("x", split_heads, beside, heads=g["x"].data.shape[-3])
    if g.wants("weight"):
        g.accumulate("weight", sum_outer_products, g.do("merged", merge_heads, g["x"]), g.dout)
    g.accumulate("bias", sum_positions, g.dout)


def explain(w: Derivation) -> None:
    """One sum of products over all heads and their features, one bias."""
    *leading, position, column = w.index
    x = w["x"]
    heads, features = x.shape[-3], x.shape[-1]
    head = np.repeat(np.arange(heads), features)
    feature = np.tile(np.arange(features), heads)
    explain_output(w, x[(*leading, head, position, feature)], column)


def axes(x: Axes, weight: Axes, bias: Axes | None = None) -> Axes:
    """The heads disappear in the sum."""
    return (*x[:-3], x[-2], "feature")


linear_from_heads = Op(
    "linear_from_heads",
    "Σ x · weight + bias",
    meaning,
    forward,
    explain,
    inputs=("x",),
    weights=("weight", "bias"),
    shapes={"x": "* H≥1 T D", "weight": "H·D N", "bias": "N ?"},
    out="* T N",
    along=("T",),
    axes=axes,
    packed=("weight",),
    one_job=True,
    backward=backward,
    how=N_("each a weighted sum of all the {n} numbers that the heads have for a token in {a}"),
)
