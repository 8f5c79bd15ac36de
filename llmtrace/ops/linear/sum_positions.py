"""The sum of all positions' rows: the gradient of a bias, which is added at every position."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, flatten_leading, initial_sum, unravel_leading


def meaning(x: Array, initial: Array | None = None) -> Array:
    """x [*, C] → [C]: Σ over the positions, in C order, from 0 or from `initial`."""
    out = initial_sum(initial, x.shape[-1:], x.dtype)
    for row in flatten_leading(x, "x"):
        out += row
    return out


def forward(x: Array, initial: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(x, 1, "x")
    out = empty(x.shape[-1:], x.dtype)
    _kernels.column_sum(x, None, initial, out)
    return out


def explain(w: Derivation) -> None:
    """One sum over all positions."""
    (column,) = w.index
    x = w["x"]
    w.sum("out", x[unravel_leading(x.shape[:-1], column)], w["initial"][column] if w.has("initial") else None)


sum_positions = Op(
    "sum_positions",
    N_("Σ x, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("x", "initial"),
    shapes={"x": "* C", "initial": "C ?"},
    out="C",
    one_job=True,
    how=N_("each a sum over all positions of {a}"),
)
