"""The first half of Adam's memory (Kingma & Ba 2015, arXiv:1412.6980): the mean of a weight's gradients, old ones fading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(before: Array, gradient: Array, *, beta: float) -> Array:
    """`β·before + (1 − β)·gradient`; 1 − β is worked out in float64, then rounded, as β is."""
    real = before.dtype.type
    return real(beta) * before + real(1 - beta) * gradient


def forward(before: Array, gradient: Array, *, beta: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("adam_mean", (before, gradient), empty, beta, 1 - beta)


def explain(w: Derivation) -> None:
    """Most of what was before, a little of what is new."""
    old = w.multiply("old", w.constant(w.settings["beta"], "β"), w["before"][w.index])
    new = w.multiply("new", w.constant(1 - w.settings["beta"], "1 − β"), w["gradient"][w.index])
    w.add("out", old, new)


adam_mean = Op(
    "adam_mean",
    "β·before + (1 − β)·gradient",
    meaning,
    forward,
    explain,
    inputs=("before", "gradient"),
    shapes={"before": "*", "gradient": "*", "beta": "real"},
)
