"""The place of the largest number: the most likely next token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(x: Array) -> Array:
    """Along the last axis; the first of equals; a NaN counts as largest."""
    return np.argmax(x, axis=-1)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled; int64."""
    expect_axes(x, 1, "x")
    out = empty(x.shape[:-1], np.dtype(np.int64))
    _kernels.argmax(x, out)
    return out


def explain(w: Derivation) -> None:
    """One comparison of all."""
    w.argmax("out", w.input("x")[(*w.index, slice(None))])


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
    shapes={"x": "* N≥1"},
    axes=axes,
)
