"""The square root; that of a negative number is NaN, that of −0 is −0."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`√x`, element by element."""
    return np.asarray(np.sqrt(x))


def backward(g: Gradient) -> None:
    """dx = dout / (2·out) (out = √x)."""
    if g.wants("x"):
        g.accumulate("x", divide, g.dout, g.do("twice", scale, g.out, factor=2.0))


def explain(w: Derivation) -> None:
    """One square root."""
    w.root("out", w["x"][w.index])


sqrt = elementwise_op(
    "sqrt",
    "√x",
    meaning,
    explain,
    backward=backward,
    how=N_("the root of {a}"),
)
