"""Subtraction of two tensors of one shape."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`a − b`, element by element."""
    return a - b


def backward(g: Gradient) -> None:
    """da = dout; db = −dout (out = a − b)."""
    g.pass_on("a")
    g.accumulate("b", scale, g.dout, factor=-1.0)


def explain(w: Derivation) -> None:
    """One subtraction."""
    w.subtract("out", w["a"][w.index], w["b"][w.index])


subtract = elementwise_op(
    "subtract",
    "a − b",
    meaning,
    explain,
    backward=backward,
)
