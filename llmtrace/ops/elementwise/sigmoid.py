"""The logistic sigmoid."""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Result
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`1 / (1 + exp(−x))`, element by element."""
    one = x.dtype.type(1)
    return np.asarray(one / (one + elementary.exp(-x)), x.dtype)


def backward(g: Gradient) -> None:
    """dx = dout · (out · (1 − out)) (out = 1 / (1 + exp(−x)))."""
    g.accumulate("x", sigmoid_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """Sign, exponential, addition, division."""
    explain_sigmoid(w)


def explain_sigmoid(w: Derivation) -> Result:
    """The lines of the sigmoid of this element, also the first part of SiLU."""
    one = w.constant(1, "1")
    minus = w.negate("−x", w["x"][w.index])
    return w.divide("sigmoid", one, w.add("1 + exp", one, w.exp("exponential", minus)))


def gradient_meaning(out: Array, dout: Array) -> Array:
    """`dout · (out · (1 − out))`, by what the sigmoid gave: the gradient of x."""
    return np.asarray(dout * (out * (out.dtype.type(1) - out)))


def gradient_explain(w: Derivation) -> None:
    """Rest, slope, product."""
    out = w["out"][w.index]
    slope = w.multiply("slope", out, w.subtract("1 − out", w.constant(1, "1"), out))
    w.multiply("out", w["dout"][w.index], slope)


sigmoid = elementwise_op(
    "sigmoid",
    "1 / (1 + exp(−x))",
    meaning,
    explain,
    backward=backward,
)
sigmoid_gradient = elementwise_op(
    "sigmoid_gradient",
    "dout · (out · (1 − out))",
    gradient_meaning,
    gradient_explain,
)
