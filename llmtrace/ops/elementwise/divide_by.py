"""Every element divided by one constant: scores by a temperature, a sum by a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array, *, divisor: float) -> Array:
    """`x / divisor`, the divisor rounded to x's type first."""
    return x / x.dtype.type(divisor)


def forward(x: Array, *, divisor: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("divide_by", (x,), empty, divisor)


def backward(g: Gradient) -> None:
    """out = x / divisor:  dx = dout / divisor."""
    g.accumulate("x", divide_by, g.dout, divisor=g.settings["divisor"])


def explain(w: Derivation) -> None:
    """One division."""
    w.divide("out", w["x"][w.index], w.constant(w.settings["divisor"], "divisor"))


divide_by = Op(
    "divide_by",
    "x / divisor",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "*", "divisor": "real"},
    backward=backward,
)
