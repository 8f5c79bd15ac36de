"""The natural logarithm, correctly rounded; log(0) = −∞, and NaN below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to log(x), element by element."""
    return elementary.log(x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("log", (x,), empty)


def backward(g: Gradient) -> None:
    """dx = dout / x (out = log(x))."""
    g.accumulate("x", divide, g.dout, g["x"])


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.log("out", w["x"][w.index])


log = Op("log", "log(x)", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
