"""Multiplication of two tensors of one shape, element by element: gates, masks."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`a · b`, element by element."""
    return a * b


def backward(g: Gradient) -> None:
    """da = dout · b, db = dout · a (out = a · b)."""
    g.accumulate("a", multiply, g.dout, g["b"])
    g.accumulate("b", multiply, g.dout, g["a"])


def explain(w: Derivation) -> None:
    """One multiplication."""
    w.multiply("out", w["a"][w.index], w["b"][w.index])


multiply = elementwise_op(
    "multiply",
    "a · b",
    meaning,
    explain,
    backward=backward,
)
