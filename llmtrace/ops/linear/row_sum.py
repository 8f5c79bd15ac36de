"""The sum of all positions' rows: the gradient of a bias, which is added at every position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, begun, expect_axes, over_positions, rows_of

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(x: Array, start: Array | None = None) -> Array:
    """x [*, C] → [C]: Σ over the positions, in C order, from 0 or from `start`."""
    out = begun(start, x.shape[-1:], x.dtype)
    for row in rows_of(x, "x"):
        out += row
    return out


def forward(x: Array, start: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 1, "x")
    out = empty(x.shape[-1:], x.dtype)
    _kernels.column_sum(x, None, start, out)
    return out


def explain(w: Derivation) -> None:
    """One sum over all positions."""
    (column,) = w.index
    x = w.input("x")
    w.sum("out", x[over_positions(x.shape[:-1], column)], w.input("start")[column] if w.has("start") else None)


def axes(x: Axes, start: Axes | None = None) -> Axes:
    """The positions disappear in the sum."""
    return x[-1:]


row_sum = Op(
    "row_sum",
    N_("Σ x, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("x", "start"),
    shapes={"x": "* C", "start": "C ?"},
    axes=axes,
)
