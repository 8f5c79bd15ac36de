"""The gradient of a weight: over all positions, what came in times the gradient of what went out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, begun, expect_axes, over_positions, rows_of

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(a: Array, b: Array, start: Array | None = None) -> Array:
    """a [*, A], b [*, B] → [A, B]: Σ over the positions r of a[r, i] · b[r, j], in C order, from 0 or from `start`."""
    out = begun(start, (a.shape[-1], b.shape[-1]), a.dtype)
    for row, other in zip(rows_of(a, "a"), rows_of(b, "b"), strict=True):
        out += row[:, None] * other
    return out


def forward(a: Array, b: Array, start: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """The same, compiled: a matrix product of `a` on its side with `b`."""
    expect_axes(a, 1, "a")
    expect_axes(b, 1, "b")
    out = empty((a.shape[-1], b.shape[-1]), a.dtype)
    _kernels.outer_sum(a, b, start, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over all positions."""
    i, j = w.index
    a, b = w.input("a"), w.input("b")
    start = w.input("start")[i, j] if w.has("start") else None
    w.dot("out", a[over_positions(a.shape[:-1], i)], b[over_positions(b.shape[:-1], j)], start)


def axes(a: Axes, b: Axes, start: Axes | None = None) -> Axes:
    """Those of a weight: from features to features."""
    return ("in", "out")


outer_sum = Op(
    "outer_sum",
    N_("Σ a · b, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("a", "b", "start"),
    shapes={"a": "* A", "b": "* B", "start": "A B ?"},
    axes=axes,
)
