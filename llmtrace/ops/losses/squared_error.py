"""The squared error: how far two tensors are apart, element by element, large distances counting for more."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`(a − b)·(a − b)`, element by element."""
    difference = a - b
    return difference * difference


def backward(g: Gradient) -> None:
    """da = dout · (2·(a − b)), db = dout · (2·(b − a)) (out = (a − b)·(a − b))."""
    g.accumulate("a", squared_error_gradient, g["a"], g["b"], g.dout)
    g.accumulate("b", squared_error_gradient, g["b"], g["a"], g.dout)


def explain(w: Derivation) -> None:
    """One subtraction, one multiplication."""
    difference = w.subtract("a − b", w["a"][w.index], w["b"][w.index])
    w.multiply("out", difference, difference)


def gradient_meaning(a: Array, b: Array, dout: Array) -> Array:
    """`dout · (2·(a − b))`: the gradient of a."""
    return dout * (a.dtype.type(2) * (a - b))


def gradient_explain(w: Derivation) -> None:
    """Difference, slope, product."""
    difference = w.subtract("a − b", w["a"][w.index], w["b"][w.index])
    w.multiply("out", w["dout"][w.index], w.multiply("slope", w.constant(2, "2"), difference))


squared_error = elementwise_op(
    "squared_error",
    "(a − b)·(a − b)",
    meaning,
    explain,
    backward=backward,
)
squared_error_gradient = elementwise_op(
    "squared_error_gradient",
    "dout · (2·(a − b))",
    gradient_meaning,
    gradient_explain,
)
