"""Division of two tensors of one shape, element by element."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`a / b`, element by element; by the rules of IEEE 754 also where b is 0."""
    return a / b


def backward(g: Gradient) -> None:
    """da = dout / b; db = −(dout · (out / b)) (out = a / b)."""
    g.accumulate("a", divide, g.dout, g["b"])
    if g.wants("b"):
        share = g.do("share", divide, g.out, g["b"])
        g.accumulate("b", scale, g.do("product", multiply, g.dout, share), factor=-1.0)


def explain(w: Derivation) -> None:
    """One division."""
    w.divide("out", w["a"][w.index], w["b"][w.index])


divide = elementwise_op(
    "divide",
    "a / b",
    meaning,
    explain,
    backward=backward,
)
