"""Adam's step (Kingma & Ba 2015, arXiv:1412.6980): the mean gradient, divided by the gradient's usual size; with weight
decay kept apart from the gradient, as in AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


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

    mean_correction is 1 − β1^t at step t, square_correction 1 − β2^t: which share of a full mean has come together so far.
    rate·decay is worked out in float64, then rounded, as every setting is.
    """
    real = weight.dtype.type
    step = (mean / real(mean_correction)) / (np.sqrt(square / real(square_correction)) + real(epsilon))
    return (weight - real(rate * decay) * weight) - real(rate) * step


def forward(
    *arrays: Array,
    rate: float,
    mean_correction: float,
    square_correction: float,
    epsilon: float,
    decay: float,
    empty: Empty = np.empty,
) -> Array:
    """The same, compiled."""
    weight, mean, square = arrays
    settings = (rate, mean_correction, square_correction, epsilon, rate * decay)
    return elementwise("adam_update", (weight, mean, square), empty, *settings)


def explain(w: Derivation) -> None:
    """Decay, the two means made whole, a root, the step."""
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


adam_update = Op(
    "adam_update",
    "(weight − (rate·decay)·weight) − rate·((mean / mean_correction) / (√(square / square_correction) + ε))",
    meaning,
    forward,
    explain,
    inputs=("weight", "mean", "square"),
    shapes={
        **{"weight": "*", "mean": "*", "square": "*"},
        **{"rate": "real", "mean_correction": "real", "square_correction": "real", "epsilon": "small", "decay": "real"},
    },
)
