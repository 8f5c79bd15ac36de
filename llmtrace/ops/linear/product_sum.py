"""The sum of products at all positions, feature by feature: the gradient of a gain."""

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
    """a, b [*, C] → [C]: Σ a · b over the positions, in C order, from 0 or from `start`."""
    out = begun(start, a.shape[-1:], a.dtype)
    for row, other in zip(rows_of(a, "a"), rows_of(b, "b"), strict=True):
        out += row * other
    return out


def forward(a: Array, b: Array, start: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(a, 1, "a")
    out = empty(a.shape[-1:], a.dtype)
    _kernels.column_sum(a, b, start, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over all positions."""
    (column,) = w.index
    a, b = w.input("a"), w.input("b")
    places = over_positions(a.shape[:-1], column)
    w.dot("out", a[places], b[places], w.input("start")[column] if w.has("start") else None)


def axes(a: Axes, b: Axes, start: Axes | None = None) -> Axes:
    """The positions disappear in the sum."""
    return a[-1:]


product_sum = Op(
    "product_sum",
    N_("Σ a · b, over all positions"),
    meaning,
    forward,
    explain,
    inputs=("a", "b", "start"),
    shapes={"a": "* C", "b": "* C", "start": "C ?"},
    axes=axes,
)
