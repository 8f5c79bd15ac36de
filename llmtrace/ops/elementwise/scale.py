"""Every element times one constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array, *, factor: float) -> Array:
    """`x · factor`, the factor rounded to x's type first."""
    return x * x.dtype.type(factor)


def forward(x: Array, *, factor: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("scale", (x,), empty, factor)


def backward(g: Gradient) -> None:
    """dx = dout · factor (out = x · factor)."""
    g.accumulate("x", scale, g.dout, factor=g.settings["factor"])


def explain(w: Derivation) -> None:
    """One multiplication."""
    w.multiply("out", w["x"][w.index], w.constant(w.settings["factor"], "factor"))


scale = Op(
    "scale",
    "x · factor",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "*", "factor": "real"},
    backward=backward,
)
