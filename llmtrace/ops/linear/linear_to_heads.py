"""A linear layer whose outputs are split into attention heads: how queries, keys and values are made."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.heads import merge_heads
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.linear.linear import explain_output, linear, pack
from llmtrace.ops.linear.linear import meaning as linear_of
from llmtrace.ops.linear.sum_outer_products import sum_outer_products
from llmtrace.ops.linear.sum_positions import sum_positions
from llmtrace.ops.op import Op, expect_axes, flatten_leading, new_array


def meaning(x: Array, weight: Array, bias: Array | None = None, *, heads: int) -> Array:
    """x [*, T, K], weight [K, H·D] → [*, H, T, D]: output column h·D + d is feature d of head h."""
    out = linear_of(x, weight, bias)
    return np.moveaxis(out.reshape(*out.shape[:-1], heads, out.shape[-1] // heads), -2, -3).copy()


def forward(x: Array, weight: Array, bias: Array | None = None, *, heads: int, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled: each output is written in the layout of the heads."""
    packed = pack(weight)
    if heads < 1 or packed.columns % heads:
        raise ValueError(f"{packed.columns} outputs can't be split into {heads} heads")
    expect_axes(x, 2, "x")
    *leading, positions, _depth = x.shape
    out = new_array(empty, (*leading, heads, positions, packed.columns // heads), x.dtype, weight)
    _kernels.matmul(flatten_leading(x, "x"), packed, bias, flatten_leading(out, "out", 3))
    return out


def backward(g: Gradient) -> None:
    """out = Σ x·weight + bias, split into heads:  with dout merged again, the gradients of a linear layer."""
    if not g.wants("x", "weight", "bias"):
        return
    dout = g.do("merged", merge_heads, g.dout)
    g.accumulate("x", linear, dout, g["weight"], None, transposed=True)
    g.accumulate("weight", sum_outer_products, g["x"], dout)
    g.accumulate("bias", sum_positions, dout)


def explain(w: Derivation) -> None:
    """One sum of products, one bias."""
    *leading, head, position, feature = w.index
    x = w["x"][(*leading, position, slice(None))]
    explain_output(w, x, head * w.shape[-1] + feature)


def axes(x: Axes, weight: Axes, bias: Axes | None = None) -> Axes:
    """A head axis before the positions."""
    return (*x[:-2], "head", x[-2], "feature")


linear_to_heads = Op(
    "linear_to_heads",
    "Σ x · weight + bias",
    meaning,
    forward,
    explain,
    inputs=("x",),
    weights=("weight", "bias"),
    shapes={"x": "* T K", "weight": "K H·D", "bias": "H·D ?", "heads": "H≥1"},
    out="* H T D",
    along=("T",),
    axes=axes,
    packed=("weight",),
    one_job=True,
    backward=backward,
    how=N_("each a weighted sum of the {n} numbers in a row of {a}"),
)
