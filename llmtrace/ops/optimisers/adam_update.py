"""Adam's step (Kingma & Ba 2015, arXiv:1412.6980): the first moment, divided by the root of the second; with decoupled
weight decay, as in AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
"""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(
    weight: Array,
    mean: Array,
    square: Array,
    *,
    rate: float,
    mean_correction: float,
    square_correction: float,
    epsilon: float,
    decay: float,
) -> Array:
    """`(weight − (rate·decay)·weight) − rate·((mean / mean_correction) / (√(square / square_correction) + epsilon))`.

    mean_correction is 1 − β1^t at step t, square_correction 1 − β2^t: the moments begin at 0.
    rate·decay is worked out in float64, then rounded, as every setting is.
    """
    real = weight.dtype.type
    step = (mean / real(mean_correction)) / (np.sqrt(square / real(square_correction)) + real(epsilon))
    return (weight - real(rate * decay) * weight) - real(rate) * step


def constants(
    rate: float, mean_correction: float, square_correction: float, epsilon: float, decay: float
) -> tuple[float, ...]:
    """What the kernel is given: rate·decay is one number."""
    return rate, mean_correction, square_correction, epsilon, rate * decay


def explain(w: Derivation) -> None:
    """Decay, the two bias corrections, a root, the step."""
    weight, rate = w["weight"][w.index], w.settings["rate"]
    gone = w.multiply("gone", w.constant(rate * w.settings["decay"], "rate · decay"), weight)
    decayed = w.subtract("decayed", weight, gone)
    mean = w.divide("full mean", w["mean"][w.index], w.constant(w.settings["mean_correction"], "mean correction"))
    square = w.divide(
        "full square", w["square"][w.index], w.constant(w.settings["square_correction"], "square correction")
    )
    size = w.add("usual size", w.root("root", square), w.constant(w.settings["epsilon"], "ε"))
    step = w.multiply("step", w.constant(rate, "rate"), w.divide("direction", mean, size))
    w.subtract("out", decayed, step)


adam_update = elementwise_op(
    "adam_update",
    "(weight − (rate·decay)·weight) − rate·((mean / mean_correction) / (√(square / square_correction) + ε))",
    meaning,
    explain,
    settings={"epsilon": "small"},
    constants=constants,
    how=N_("the weight, less a step: its mean gradient {b}, divided by how large it usually is, times the rate"),
)
