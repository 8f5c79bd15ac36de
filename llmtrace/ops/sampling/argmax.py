"""The place of the largest number: the most likely next token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


SHAPES = {"x": "* N≥1"}
KERNEL = row_kernel("argmax", SHAPES, out="* < N")


def meaning(x: Array) -> Array:
    """Along the last axis; the first of equals; a NaN counts as largest."""
    return np.argmax(x, axis=-1)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled; int64."""
    return KERNEL((x,), empty)


def explain(w: Derivation) -> None:
    """One comparison of all."""
    w.argmax("out", w["x"][(*w.index, slice(None))])


def axes(x: Axes) -> Axes:
    """The axis that was searched disappears."""
    return x[:-1]


argmax = Op(
    "argmax",
    N_("the place of the largest x"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes=SHAPES,
    axes=axes,
)
