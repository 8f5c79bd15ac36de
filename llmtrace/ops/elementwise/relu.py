"""ReLU: negative numbers become 0, the others stay."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`x` where x > 0, NaN where x is NaN, else +0."""
    return np.where(x > 0, x, np.where(np.isnan(x), x, x.dtype.type(0)))


def backward(g: Gradient) -> None:
    """dx = dout where x > 0, else 0 (out = x if x > 0 else 0)."""
    g.accumulate("x", relu_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """One comparison with 0."""
    w.relu("out", w["x"][w.index])


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout` where x > 0, NaN where x is NaN, else +0: the gradient of x."""
    return np.where(x > 0, dout, np.where(np.isnan(x), x, x.dtype.type(0)))


def gradient_explain(w: Derivation) -> None:
    """One comparison with 0."""
    zero = w.constant(0, "0")
    w.above("out", w["x"][w.index], zero, w["dout"][w.index], zero)


relu = elementwise_op(
    "relu",
    "x if x > 0 else 0",
    meaning,
    explain,
    backward=backward,
    how=N_("the numbers of {a}, but 0 for negative ones"),
)
relu_gradient = elementwise_op(
    "relu_gradient",
    N_("dout if x > 0 else 0"),
    gradient_meaning,
    gradient_explain,
)
