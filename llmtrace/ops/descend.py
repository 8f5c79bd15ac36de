"""Gradient descent: a weight goes a small step against its gradient, or against its velocity where there is momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.ops.elementwise import elementwise
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(weight: Array, velocity: Array, *, rate: float) -> Array:
    """`weight − rate·velocity`."""
    return weight - weight.dtype.type(rate) * velocity


def forward(weight: Array, velocity: Array, *, rate: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("descend", (weight, velocity), empty, rate)


def explain(w: Working) -> None:
    """A step against the velocity."""
    step = w.multiply("step", w.constant(w.settings["rate"], "rate"), w.input("velocity")[w.index])
    w.subtract("out", w.input("weight")[w.index], step)


descend = Op(
    "descend",
    "weight − rate·velocity",
    meaning,
    forward,
    explain,
    inputs=("weight", "velocity"),
    shapes={"weight": "*", "velocity": "*", "rate": "real"},
)
