"""The error function, correctly rounded."""

import math

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to erf(x), element by element."""
    return elementary.erf(x)


def backward(g: Gradient) -> None:
    """dx = dout · ((2/√π) · exp(−(x·x))) (out = erf(x))."""
    g.accumulate("x", erf_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.erf("out", w["x"][w.index])


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout · ((2/√π) · exp(−(x·x)))`, 2/√π rounded to x's type: the gradient of x."""
    bell = elementary.exp(-(x * x))
    return np.asarray(dout * (x.dtype.type(2 / math.sqrt(math.pi)) * bell))


def gradient_explain(w: Derivation) -> None:
    """A bell curve, then the product."""
    x = w["x"][w.index]
    bell = w.exp("bell", w.negate("−x²", w.multiply("x²", x, x)))
    slope = w.multiply("slope", w.constant(2 / math.sqrt(math.pi), "2/√π"), bell)
    w.multiply("out", w["dout"][w.index], slope)


erf = elementwise_op(
    "erf",
    "erf(x)",
    meaning,
    explain,
    backward=backward,
)
erf_gradient = elementwise_op(
    "erf_gradient",
    "dout · ((2/√π) · exp(−(x·x)))",
    gradient_meaning,
    gradient_explain,
)
