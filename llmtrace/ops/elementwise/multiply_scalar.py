"""Every element times one number that was itself computed, such as the factor that clips a gradient."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.rows.sum_all import sum_all


def meaning(x: Array, factor: Array) -> Array:
    """`x · factor`, element by element; the factor has no axes."""
    return x * factor


def backward(g: Gradient) -> None:
    """dx = dout · factor, dfactor = Σ dout · x (out = x · factor)."""
    g.accumulate("x", multiply_scalar, g.dout, g["factor"])
    if g.wants("factor"):
        g.accumulate("factor", sum_all, g.do("products", multiply, g.dout, g["x"]))


def explain(w: Derivation) -> None:
    """One multiplication."""
    w.multiply("out", w["x"][w.index], w["factor"][()])


multiply_scalar = row_op(
    "multiply_scalar",
    "x · factor",
    meaning,
    explain,
    shapes={"x": "*", "factor": ""},
    out="*",
    backward=backward,
    how=N_("the numbers of {a}, each times {b}"),
)
