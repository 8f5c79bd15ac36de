"""L1 and L2 regularisation as part of the gradient: l2 times the weight (ridge), l1 times its sign (lasso, Tibshirani 1996)."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(gradient: Array, weight: Array, *, l1: float, l2: float) -> Array:
    """`(gradient + l2·weight) + l1·sign(weight)`; the sign of ±0 is +0, that of NaN is NaN."""
    real = weight.dtype.type
    return (gradient + real(l2) * weight) + real(l1) * np.sign(weight)


def explain(w: Derivation) -> None:
    """The two penalties, added."""
    weight = w["weight"][w.index]
    square = w.add(
        "with l2", w["gradient"][w.index], w.multiply("l2 · weight", w.constant(w.settings["l2"], "l2"), weight)
    )
    zero, one, minus = w.constant(0, "0"), w.constant(1, "1"), w.constant(-1, "−1")
    sign = w.above("sign", weight, zero, one, w.above("otherwise", zero, weight, minus, zero))
    w.add("out", square, w.multiply("l1 · sign", w.constant(w.settings["l1"], "l1"), sign))


regularise = elementwise_op(
    "regularise",
    "(gradient + l2·weight) + l1·sign(weight)",
    meaning,
    explain,
    how=N_("{a}, and a share of the weight itself"),
)
