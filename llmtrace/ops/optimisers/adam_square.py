"""Adam's second moment (Kingma & Ba 2015, arXiv:1412.6980): the exponential moving average of a weight's squared gradients."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(before: Array, gradient: Array, *, beta: float) -> Array:
    """`β·before + (1 − β)·(gradient·gradient)`; 1 − β is worked out in float64, then rounded, as β is."""
    real = before.dtype.type
    return real(beta) * before + real(1 - beta) * (gradient * gradient)


def explain(w: Derivation) -> None:
    """Most of the mean before, a little of the gradient's square."""
    old = w.multiply("old", w.constant(w.settings["beta"], "β"), w["before"][w.index])
    gradient = w["gradient"][w.index]
    square = w.multiply("gradient²", gradient, gradient)
    w.add("out", old, w.multiply("new", w.constant(1 - w.settings["beta"], "1 − β"), square))


adam_square = elementwise_op(
    "adam_square",
    "β·before + (1 − β)·(gradient·gradient)",
    meaning,
    explain,
    constants=lambda beta: (beta, 1 - beta),
    how=N_("most of the old mean {a}, and a little of the square of {b}"),
)
