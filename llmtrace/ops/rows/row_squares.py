"""The sum of squares of each row: how long a gradient is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.op import Op, accumulate, expect_axes

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(x: Array) -> Array:
    """x [*, C] → [*]: Σ x · x along the row."""
    return accumulate(x * x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 1, "x")
    out = empty(x.shape[:-1], x.dtype)
    _kernels.row_squares(x, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products of each number with itself."""
    row = w.input("x")[(*w.index, slice(None))]
    w.dot("out", row, row)


def axes(x: Axes) -> Axes:
    """One number for every row."""
    return x[:-1]


row_squares = Op("row_squares", "Σ x · x", meaning, forward, explain, inputs=("x",), shapes={"x": "* C"}, axes=axes)
