"""Dot products of all rows: of queries with keys, or, as the gradient of a pattern, of the mix's gradient with the values."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.full_axes import queries_and_keys
from llmtrace.ops.attention.full_back import full_back
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided


def meaning(a: Array, b: Array) -> Array:
    """a [*, T, D], b [*, S, D] → [*, T, S]: `Σ a·b`."""
    out = np.zeros((*a.shape[:-1], b.shape[-2]), a.dtype)
    for d in range(a.shape[-1]):
        out += a[..., :, None, d] * b[..., None, :, d]
    return out


def forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(a, 2, "a")
    expect_batch_strided(b, "b")
    out = empty((*a.shape[:-1], b.shape[-2]), a.dtype)
    _kernels.attention_products(a, b, out, full=True)
    return out


def backward(g: Gradient) -> None:
    """product = Σ over the features a·b:  da = Σ over the keys dproduct·b;  db = Σ over the queries dproduct·a."""
    from llmtrace.ops.attention.full_mix import full_mix  # whose own gradient is this op

    g.accumulate("a", full_mix, g.dout, g["b"])
    g.accumulate("b", full_back, g.dout, g["a"])


def explain(w: Derivation) -> None:
    """One sum of products."""
    *leading, query, key = w.index
    w.dot("out", w["a"][(*leading, query, slice(None))], w["b"][(*leading, key, slice(None))])


def axes(a: Axes, b: Axes) -> Axes:
    """Places of queries against places of keys."""
    return queries_and_keys(a, b)


full_products = Op(
    "full_products",
    "Σ a · b",
    meaning,
    forward,
    explain,
    inputs=("a", "b"),
    shapes={"a": "* T D", "b": "* S D"},
    out="* T S",
    along=("T",),
    axes=axes,
    batch_strided=("b",),
    backward=backward,
    how=N_("each the products of a row of {a} and a row of {b}, added up"),
)
