"""A price on large weights, added to their gradient: l2 times the weight (ridge), l1 times its sign (lasso, Tibshirani 1996)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(gradient: Array, weight: Array, *, l1: float, l2: float) -> Array:
    """`(gradient + l2·weight) + l1·sign(weight)`; the sign of ±0 is +0, that of NaN is NaN."""
    real = weight.dtype.type
    return (gradient + real(l2) * weight) + real(l1) * np.sign(weight)


def forward(gradient: Array, weight: Array, *, l1: float, l2: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("regularise", (gradient, weight), empty, l1, l2)


def explain(w: Derivation) -> None:
    """The two prices, added."""
    weight = w["weight"][w.index]
    square = w.add(
        "with l2", w["gradient"][w.index], w.multiply("l2 · weight", w.constant(w.settings["l2"], "l2"), weight)
    )
    zero, one, minus = w.constant(0, "0"), w.constant(1, "1"), w.constant(-1, "−1")
    sign = w.above("sign", weight, zero, one, w.above("otherwise", zero, weight, minus, zero))
    w.add("out", square, w.multiply("l1 · sign", w.constant(w.settings["l1"], "l1"), sign))


regularise = Op(
    "regularise",
    "(gradient + l2·weight) + l1·sign(weight)",
    meaning,
    forward,
    explain,
    inputs=("gradient", "weight"),
    shapes={"gradient": "*", "weight": "*", "l1": "real", "l2": "real"},
)
