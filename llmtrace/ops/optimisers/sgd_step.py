"""A step of stochastic gradient descent; with momentum, the velocity takes the place of the gradient."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(weight: Array, gradient: Array, *, rate: float) -> Array:
    """`weight − rate·gradient`."""
    return weight - weight.dtype.type(rate) * gradient


def explain(w: Derivation) -> None:
    """A step against the gradient."""
    step = w.multiply("step", w.constant(w.settings["rate"], "rate"), w["gradient"][w.index])
    w.subtract("out", w["weight"][w.index], step)


sgd_step = elementwise_op(
    "sgd_step",
    "weight − rate·gradient",
    meaning,
    explain,
    how=N_("the weight, less {b} times the rate"),
)
