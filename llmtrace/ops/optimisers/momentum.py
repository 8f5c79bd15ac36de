"""Momentum (Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning"):
a weight that rolls downhill goes on rolling a little where it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(before: Array, gradient: Array, *, momentum: float) -> Array:
    """`momentum·before + gradient`."""
    return before.dtype.type(momentum) * before + gradient


def forward(before: Array, gradient: Array, *, momentum: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("momentum", (before, gradient), empty, momentum)


def explain(w: Derivation) -> None:
    """What is left of the velocity before, plus the gradient."""
    left = w.multiply("left", w.constant(w.settings["momentum"], "momentum"), w["before"][w.index])
    w.add("out", left, w["gradient"][w.index])


momentum = Op(
    "momentum",
    "momentum·before + gradient",
    meaning,
    forward,
    explain,
    inputs=("before", "gradient"),
    shapes={"before": "*", "gradient": "*", "momentum": "real"},
)
