"""Addition of two tensors of one shape: token plus position, and every step of the residual stream."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`a + b`, element by element."""
    return a + b


def backward(g: Gradient) -> None:
    """da = dout, db = dout (out = a + b)."""
    g.pass_on("a", "b")


def explain(w: Derivation) -> None:
    """One addition."""
    w.add("out", w["a"][w.index], w["b"][w.index])


add = elementwise_op(
    "add",
    "a + b",
    meaning,
    explain,
    backward=backward,
    how=N_("each the sum of two numbers at the same place, of {a} and {b}"),
)
