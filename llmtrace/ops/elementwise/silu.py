"""SiLU (Hendrycks & Gimpel 2016, arXiv:1606.08415; also called swish): x times its own sigmoid."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.sigmoid import explain_sigmoid
from llmtrace.ops.elementwise.sigmoid import meaning as sigmoid_of
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`x · (1 / (1 + exp(−x)))`, element by element."""
    return x * sigmoid_of(x)


def backward(g: Gradient) -> None:
    """dx = dout · (s · (1 + x·(1 − s))), s = sigmoid(x) (out = x · s)."""
    g.accumulate("x", silu_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """The sigmoid's lines, then one multiplication."""
    w.multiply("out", w["x"][w.index], explain_sigmoid(w))


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout · (s · (1 + x·(1 − s)))`, s = sigmoid(x): the gradient of x."""
    one, s = x.dtype.type(1), sigmoid_of(x)
    return np.asarray(dout * (s * (one + x * (one - s))))


def gradient_explain(w: Derivation) -> None:
    """The sigmoid's lines, then the slope and the product."""
    x, one, s = w["x"][w.index], w.constant(1, "1"), explain_sigmoid(w)
    growth = w.add("growth", one, w.multiply("x · rest", x, w.subtract("rest", one, s)))
    w.multiply("out", w["dout"][w.index], w.multiply("slope", s, growth))


silu = elementwise_op(
    "silu",
    "x · (1 / (1 + exp(−x)))",
    meaning,
    explain,
    backward=backward,
)
silu_gradient = elementwise_op(
    "silu_gradient",
    "dout · (s · (1 + x·(1 − s))), s = 1 / (1 + exp(−x))",
    gradient_meaning,
    gradient_explain,
)
