"""Every element times one constant."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array, *, factor: float) -> Array:
    """`x · factor`, the factor rounded to x's type first."""
    return x * x.dtype.type(factor)


def backward(g: Gradient) -> None:
    """dx = dout · factor (out = x · factor)."""
    g.accumulate("x", scale, g.dout, factor=g.settings["factor"])


def explain(w: Derivation) -> None:
    """One multiplication."""
    w.multiply("out", w["x"][w.index], w.constant(w.settings["factor"], "factor"))


scale = elementwise_op(
    "scale",
    "x · factor",
    meaning,
    explain,
    backward=backward,
    how=N_("the numbers of {a}, each times the same one"),
)
