"""The cosine of an angle in radians, correctly rounded."""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to cos(x), element by element; NaN for ±∞."""
    return elementary.cos(x)


def backward(g: Gradient) -> None:
    """dx = dout · (−sin(x)) (out = cos(x))."""
    g.accumulate("x", cos_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.cos("out", w["x"][w.index])


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout · (−sin(x))`: the gradient of x."""
    return np.asarray(dout * -elementary.sin(x))


def gradient_explain(w: Derivation) -> None:
    """The sine and the slope, which is the opposite of it, then the product."""
    w.multiply("out", w["dout"][w.index], w.negate("slope", w.sin("sine", w["x"][w.index])))


cos = elementwise_op(
    "cos",
    "cos(x)",
    meaning,
    explain,
    backward=backward,
)
cos_gradient = elementwise_op(
    "cos_gradient",
    "dout · (−sin(x))",
    gradient_meaning,
    gradient_explain,
)
