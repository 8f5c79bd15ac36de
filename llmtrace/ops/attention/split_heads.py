"""Features dealt out to attention heads: nothing is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array, *, heads: int) -> Array:
    """x [*, T, H·D] → [*, H, T, D]: feature h·D + d becomes feature d of head h."""
    return np.moveaxis(x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads), -2, -3).copy()


def forward(x: Array, *, heads: int, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 2, "x")
    *lead, positions, features = x.shape
    if heads < 1 or features % heads:
        raise ValueError(f"{features} features can't be dealt out to {heads} heads")
    out = empty((*lead, heads, positions, features // heads), x.dtype)
    _kernels.move_heads(x, out, merged=False)
    return out


def backward(g: Gradient) -> None:
    """Every number has gone to one place: its gradient comes back from there."""
    from llmtrace.ops.attention.merge_heads import merge_heads  # each is the gradient of the other

    g.accumulate("x", merge_heads, g.dout)


def explain(w: Derivation) -> None:
    """The number stands in another place."""
    *lead, head, position, feature = w.index
    w.take("out", w["x"][(*lead, position, head * w.shape[-1] + feature)])


def axes(x: Axes) -> Axes:
    """A head axis before the positions."""
    return (*x[:-2], "head", x[-2], "feature")


split_heads = Op(
    "split_heads",
    N_("x, head by head"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* T H·D", "heads": "H≥1"},
    axes=axes,
    backward=backward,
)
