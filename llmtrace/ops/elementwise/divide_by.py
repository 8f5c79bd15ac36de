"""Every element divided by one constant: scores by a temperature, a sum by a count."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array, *, divisor: float) -> Array:
    """`x / divisor`, the divisor rounded to x's type first."""
    return x / x.dtype.type(divisor)


def backward(g: Gradient) -> None:
    """out = x / divisor:  dx = dout / divisor."""
    g.accumulate("x", divide_by, g.dout, divisor=g.settings["divisor"])


def explain(w: Derivation) -> None:
    """One division."""
    w.divide("out", w["x"][w.index], w.constant(w.settings["divisor"], "divisor"))


divide_by = elementwise_op(
    "divide_by",
    "x / divisor",
    meaning,
    explain,
    backward=backward,
    how=N_("the numbers of {a}, each divided by the same one"),
)
