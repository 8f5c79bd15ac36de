"""Gradient descent: a weight goes a small step against its gradient; where there is momentum, its velocity takes that place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(weight: Array, gradient: Array, *, rate: float) -> Array:
    """`weight − rate·gradient`."""
    return weight - weight.dtype.type(rate) * gradient


def forward(weight: Array, gradient: Array, *, rate: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("sgd_step", (weight, gradient), empty, rate)


def explain(w: Derivation) -> None:
    """A step against the gradient."""
    step = w.multiply("step", w.constant(w.settings["rate"], "rate"), w["gradient"][w.index])
    w.subtract("out", w["weight"][w.index], step)


sgd_step = Op(
    "sgd_step",
    "weight − rate·gradient",
    meaning,
    forward,
    explain,
    inputs=("weight", "gradient"),
    shapes={"weight": "*", "gradient": "*", "rate": "real"},
)
