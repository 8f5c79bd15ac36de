"""The exponential function, correctly rounded."""

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to exp(x), element by element."""
    return elementary.exp(x)


def backward(g: Gradient) -> None:
    """dx = dout · out (out = exp(x), which is its own slope)."""
    g.accumulate("x", multiply, g.dout, g.out)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.exp("out", w["x"][w.index])


exp = elementwise_op(
    "exp",
    "exp(x)",
    meaning,
    explain,
    backward=backward,
)
