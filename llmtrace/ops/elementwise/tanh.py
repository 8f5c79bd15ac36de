"""The hyperbolic tangent, correctly rounded."""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to tanh(x), element by element."""
    return elementary.tanh(x)


def backward(g: Gradient) -> None:
    """dx = dout · (1 − out·out) (out = tanh(x))."""
    g.accumulate("x", tanh_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.tanh("out", w["x"][w.index])


def gradient_meaning(out: Array, dout: Array) -> Array:
    """`dout · (1 − out·out)`, by what tanh gave: the gradient of x."""
    return np.asarray(dout * (out.dtype.type(1) - out * out))


def gradient_explain(w: Derivation) -> None:
    """Square, slope, product."""
    out = w["out"][w.index]
    slope = w.subtract("slope", w.constant(1, "1"), w.multiply("out²", out, out))
    w.multiply("out", w["dout"][w.index], slope)


tanh = elementwise_op(
    "tanh",
    "tanh(x)",
    meaning,
    explain,
    backward=backward,
)
tanh_gradient = elementwise_op(
    "tanh_gradient",
    "dout · (1 − out·out)",
    gradient_meaning,
    gradient_explain,
)
