"""The natural logarithm, correctly rounded; log(0) = −∞, and NaN below."""

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to log(x), element by element."""
    return elementary.log(x)


def backward(g: Gradient) -> None:
    """dx = dout / x (out = log(x))."""
    g.accumulate("x", divide, g.dout, g["x"])


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.log("out", w["x"][w.index])


log = elementwise_op(
    "log",
    "log(x)",
    meaning,
    explain,
    backward=backward,
)
