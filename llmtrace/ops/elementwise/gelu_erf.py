"""GELU in its exact form (Hendrycks & Gimpel 2016, arXiv:1606.08415), by the error function."""

import math

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`(0.5·x) · (1 + erf(x / √2))`, √2 rounded to x's type."""
    real = x.dtype.type
    return np.asarray((real(0.5) * x) * (real(1) + elementary.erf(x / real(math.sqrt(2)))), x.dtype)


def backward(g: Gradient) -> None:
    """dx = dout · (0.5·(1 + erf(x/√2)) + x · bell) (out = (0.5·x) · (1 + erf(x / √2)), bell = exp(−x²/2) / √(2π))."""
    g.accumulate("x", gelu_erf_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """Each elementary step."""
    x = w["x"][w.index]
    gate = w.add("1 + erf", w.constant(1, "1"), w.erf("erf", w.divide("x/√2", x, w.constant(math.sqrt(2), "√2"))))
    w.multiply("out", w.multiply("half", w.constant(0.5, "½"), x), gate)


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout · ((0.5·(1 + erf(x/√2))) + (x · (exp(−(0.5·(x·x))) · (1/√(2π)))))`: the gradient of x; √2 and 1/√(2π) are
    rounded to x's type.
    """
    real = x.dtype.type
    bell = elementary.exp(-(real(0.5) * (x * x))) * real(1 / math.sqrt(2 * math.pi))
    gate = real(0.5) * (real(1) + elementary.erf(x / real(math.sqrt(2))))
    return np.asarray(dout * (gate + x * bell))


def gradient_explain(w: Derivation) -> None:
    """The gate of the forward step, a bell curve, the two parts of the product rule."""
    x, half = w["x"][w.index], w.constant(0.5, "½")
    bent = w.erf("erf", w.divide("x/√2", x, w.constant(math.sqrt(2), "√2")))
    gate = w.multiply("gate", half, w.add("1 + erf", w.constant(1, "1"), bent))
    peak = w.exp("exponential", w.negate("−½x²", w.multiply("½x²", half, w.multiply("x²", x, x))))
    bell = w.multiply("bell", peak, w.constant(1 / math.sqrt(2 * math.pi), "1/√(2π)"))
    slope = w.add("slope", gate, w.multiply("change of the gate", x, bell))
    w.multiply("out", w["dout"][w.index], slope)


gelu_erf = elementwise_op(
    "gelu_erf",
    "(0.5·x) · (1 + erf(x / √2))",
    meaning,
    explain,
    backward=backward,
    how=N_("the numbers of {a}, bent: negative ones to nearly 0, large ones stay (GELU)"),
)
gelu_erf_gradient = elementwise_op(
    "gelu_erf_gradient",
    "dout · ((0.5·(1 + erf(x/√2))) + (x · (exp(−(0.5·(x·x))) · (1/√(2π)))))",
    gradient_meaning,
    gradient_explain,
    how=N_("{b}, times how steep the bent curve is at {a}"),
)
