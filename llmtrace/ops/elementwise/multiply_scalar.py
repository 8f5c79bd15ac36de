"""Every element times one number that was itself computed, such as the factor that clips a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.op import Op
from llmtrace.ops.rows.sum_all import sum_all

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


SHAPES = {"x": "*", "factor": ""}
KERNEL = row_kernel("multiply_scalar", SHAPES, out="*")


def meaning(x: Array, factor: Array) -> Array:
    """`x · factor`, element by element; the factor has no axes."""
    return x * factor


def forward(x: Array, factor: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return KERNEL((x, factor), empty)


def backward(g: Gradient) -> None:
    """dx = dout · factor, dfactor = Σ dout · x (out = x · factor)."""
    g.accumulate("x", multiply_scalar, g.dout, g["factor"])
    if g.wants("factor"):
        g.accumulate("factor", sum_all, g.do("products", multiply, g.dout, g["x"]))


def explain(w: Derivation) -> None:
    """One multiplication."""
    w.multiply("out", w["x"][w.index], w["factor"][()])


multiply_scalar = Op(
    "multiply_scalar",
    "x · factor",
    meaning,
    forward,
    explain,
    inputs=("x", "factor"),
    shapes=SHAPES,
    backward=backward,
)
