"""The sum of squares of each row: how long a gradient is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.op import Op, ordered_sum

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


SHAPES = {"x": "* C"}
KERNEL = row_kernel("squared_norm", SHAPES, out="*")


def meaning(x: Array) -> Array:
    """x [*, C] → [*]: Σ x · x along the row."""
    return ordered_sum(x * x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return KERNEL((x,), empty)


def explain(w: Derivation) -> None:
    """One sum of products of each number with itself."""
    row = w["x"][(*w.index, slice(None))]
    w.dot("out", row, row)


def axes(x: Axes) -> Axes:
    """One number for every row."""
    return x[:-1]


squared_norm = Op("squared_norm", "Σ x · x", meaning, forward, explain, inputs=("x",), shapes=SHAPES, axes=axes)
