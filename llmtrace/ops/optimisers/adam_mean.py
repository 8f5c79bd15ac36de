"""The first half of Adam's memory (Kingma & Ba 2015, arXiv:1412.6980): the mean of a weight's gradients, old ones fading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(before: Array, gradient: Array, *, keep: float) -> Array:
    """`keep·before + (1 − keep)·gradient`; 1 − keep is worked out in float64, then rounded, as keep is."""
    real = before.dtype.type
    return real(keep) * before + real(1 - keep) * gradient


def forward(before: Array, gradient: Array, *, keep: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("adam_mean", (before, gradient), empty, keep, 1 - keep)


def explain(w: Derivation) -> None:
    """Most of what was before, a little of what is new."""
    old = w.multiply("old", w.constant(w.settings["keep"], "keep"), w.input("before")[w.index])
    new = w.multiply("new", w.constant(1 - w.settings["keep"], "1 − keep"), w.input("gradient")[w.index])
    w.add("out", old, new)


adam_mean = Op(
    "adam_mean",
    "keep·before + (1 − keep)·gradient",
    meaning,
    forward,
    explain,
    inputs=("before", "gradient"),
    shapes={"before": "*", "gradient": "*", "keep": "real"},
)
