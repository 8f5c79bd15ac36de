"""The second half of Adam's memory (Kingma & Ba 2015, arXiv:1412.6980): the mean of a weight's squared gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(before: Array, gradient: Array, *, beta: float) -> Array:
    """`β·before + (1 − β)·(gradient·gradient)`; 1 − β is worked out in float64, then rounded, as β is."""
    real = before.dtype.type
    return real(beta) * before + real(1 - beta) * (gradient * gradient)


def forward(before: Array, gradient: Array, *, beta: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("adam_square", (before, gradient), empty, beta, 1 - beta)


def explain(w: Derivation) -> None:
    """The same with the gradient's square."""
    old = w.multiply("old", w.constant(w.settings["beta"], "β"), w["before"][w.index])
    gradient = w["gradient"][w.index]
    square = w.multiply("gradient²", gradient, gradient)
    w.add("out", old, w.multiply("new", w.constant(1 - w.settings["beta"], "1 − β"), square))


adam_square = Op(
    "adam_square",
    "β·before + (1 − β)·(gradient·gradient)",
    meaning,
    forward,
    explain,
    inputs=("before", "gradient"),
    shapes={"before": "*", "gradient": "*", "beta": "real"},
)
