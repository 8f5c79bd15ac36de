"""Momentum (Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning"):
the velocity is a decaying sum of the gradients.
"""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(before: Array, gradient: Array, *, momentum: float) -> Array:
    """`momentum·before + gradient`."""
    return before.dtype.type(momentum) * before + gradient


def explain(w: Derivation) -> None:
    """The decayed velocity, plus the gradient."""
    left = w.multiply("left", w.constant(w.settings["momentum"], "momentum"), w["before"][w.index])
    w.add("out", left, w["gradient"][w.index])


momentum = elementwise_op(
    "momentum",
    "momentum·before + gradient",
    meaning,
    explain,
    how=N_("what is left of the movement before, {a}, and the gradient {b}"),
)
