"""The sine of an angle in radians, correctly rounded."""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to sin(x), element by element; NaN for ±∞."""
    return elementary.sin(x)


def backward(g: Gradient) -> None:
    """dx = dout · cos(x) (out = sin(x))."""
    g.accumulate("x", sin_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.sin("out", w["x"][w.index])


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout · cos(x)`: the gradient of x."""
    return np.asarray(dout * elementary.cos(x))


def gradient_explain(w: Derivation) -> None:
    """The slope, then the product."""
    w.multiply("out", w["dout"][w.index], w.cos("slope", w["x"][w.index]))


sin = elementwise_op(
    "sin",
    "sin(x)",
    meaning,
    explain,
    backward=backward,
)
sin_gradient = elementwise_op(
    "sin_gradient",
    "dout · cos(x)",
    gradient_meaning,
    gradient_explain,
)
