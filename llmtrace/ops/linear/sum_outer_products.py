"""The gradient of a weight: over all positions, what came in times the gradient of what went out."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, flatten_leading, initial_sum, unravel_leading


def meaning(a: Array, b: Array, initial: Array | None = None) -> Array:
    """a [*, A], b [*, B] → [A, B]: Σ over the positions r of a[r, i] · b[r, j], in C order, from 0 or from `initial`."""
    out = initial_sum(initial, (a.shape[-1], b.shape[-1]), a.dtype)
    for row, other in zip(flatten_leading(a, "a"), flatten_leading(b, "b"), strict=True):
        out += row[:, None] * other
    return out


def forward(a: Array, b: Array, initial: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled: a product of the matrices aᵀ and b."""
    expect_axes(a, 1, "a")
    expect_axes(b, 1, "b")
    out = empty((a.shape[-1], b.shape[-1]), a.dtype)
    _kernels.sum_outer_products(a, b, initial, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over all positions."""
    i, j = w.index
    a, b = w["a"], w["b"]
    initial = w["initial"][i, j] if w.has("initial") else None
    w.dot("out", a[unravel_leading(a.shape[:-1], i)], b[unravel_leading(b.shape[:-1], j)], initial)


sum_outer_products = Op(
    "sum_outer_products",
    N_("Σ a · b, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("a", "b", "initial"),
    shapes={"a": "* A", "b": "* B", "initial": "A B ?"},
    out="A B",
    one_job=True,
    how=N_("each a sum over all positions: a number of {a} times a number of {b}"),
)
