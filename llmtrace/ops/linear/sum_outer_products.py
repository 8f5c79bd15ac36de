"""The gradient of a weight: over all positions, what came in times the gradient of what went out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, flatten_leading, initial_sum, unravel_leading

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(a: Array, b: Array, initial: Array | None = None) -> Array:
    """a [*, A], b [*, B] → [A, B]: Σ over the positions r of a[r, i] · b[r, j], in C order, from 0 or from `initial`."""
    out = initial_sum(initial, (a.shape[-1], b.shape[-1]), a.dtype)
    for row, other in zip(flatten_leading(a, "a"), flatten_leading(b, "b"), strict=True):
        out += row[:, None] * other
    return out


def forward(a: Array, b: Array, initial: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """The same, compiled: a matrix product of `a` on its side with `b`."""
    expect_axes(a, 1, "a")
    expect_axes(b, 1, "b")
    out = empty((a.shape[-1], b.shape[-1]), a.dtype)
    _kernels.sum_outer_products(a, b, initial, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over all positions."""
    i, j = w.index
    a, b = w["a"], w["b"]
    initial = w["initial"][i, j] if w.has("initial") else None
    w.dot("out", a[unravel_leading(a.shape[:-1], i)], b[unravel_leading(b.shape[:-1], j)], initial)


def axes(a: Axes, b: Axes, initial: Axes | None = None) -> Axes:
    """Those of a weight: from features to features."""
    return ("in", "out")


sum_outer_products = Op(
    "sum_outer_products",
    N_("Σ a · b, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("a", "b", "initial"),
    shapes={"a": "* A", "b": "* B", "initial": "A B ?"},
    axes=axes,
)
