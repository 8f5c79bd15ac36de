"""The absolute error: how far two tensors are apart, element by element."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`|a − b|`, element by element."""
    return np.asarray(np.abs(a - b))


def backward(g: Gradient) -> None:
    """da = dout where a > b, −dout where a < b, else 0; db = the same with a and b swapped (out = |a − b|)."""
    g.accumulate("a", absolute_error_gradient, g["a"], g["b"], g.dout)
    g.accumulate("b", absolute_error_gradient, g["b"], g["a"], g.dout)


def explain(w: Derivation) -> None:
    """One subtraction, then without its sign."""
    w.absolute("out", w.subtract("a − b", w["a"][w.index], w["b"][w.index]))


def gradient_meaning(a: Array, b: Array, dout: Array) -> Array:
    """`dout` where a > b, `−dout` where a < b, +0 where they are equal, NaN where either is NaN: the gradient of a."""
    equal = np.where(a == b, a.dtype.type(0), a + b)  # neither greater, less nor equal: NaN, and so is the sum
    return np.where(a > b, dout, np.where(a < b, -dout, equal))


def gradient_explain(w: Derivation) -> None:
    """Two comparisons."""
    a, b, dout = (w[name][w.index] for name in ("a", "b", "dout"))
    below = w.above("otherwise", b, a, w.negate("−dout", dout), w.constant(0, "0"))
    w.above("out", a, b, dout, below)


absolute_error = elementwise_op(
    "absolute_error",
    "|a − b|",
    meaning,
    explain,
    backward=backward,
)
absolute_error_gradient = elementwise_op(
    "absolute_error_gradient",
    N_("dout if a > b, −dout if a < b, else 0"),
    gradient_meaning,
    gradient_explain,
)
