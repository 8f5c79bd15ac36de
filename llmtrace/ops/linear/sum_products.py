"""The sum of products at all positions, feature by feature: the gradient of a gain."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, flatten_leading, initial_sum, unravel_leading


def meaning(a: Array, b: Array, initial: Array | None = None) -> Array:
    """a, b [*, C] → [C]: Σ a · b over the positions, in C order, from 0 or from `initial`."""
    out = initial_sum(initial, a.shape[-1:], a.dtype)
    for row, other in zip(flatten_leading(a, "a"), flatten_leading(b, "b"), strict=True):
        out += row * other
    return out


def forward(a: Array, b: Array, initial: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(a, 1, "a")
    out = empty(a.shape[-1:], a.dtype)
    _kernels.column_sum(a, b, initial, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over all positions."""
    (column,) = w.index
    a, b = w["a"], w["b"]
    places = unravel_leading(a.shape[:-1], column)
    w.dot("out", a[places], b[places], w["initial"][column] if w.has("initial") else None)


sum_products = Op(
    "sum_products",
    N_("Σ a · b, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("a", "b", "initial"),
    shapes={"a": "* C", "b": "* C", "initial": "C ?"},
    out="C",
    one_job=True,
    how=N_("each a sum over all positions: a number of {a} times the one at the same place of {b}"),
)
