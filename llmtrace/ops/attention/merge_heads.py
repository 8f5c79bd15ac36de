"""The features of all attention heads side by side again: nothing is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.split_heads import split_heads
from llmtrace.ops.op import Op, expect_axes

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """x [*, H, T, D] → [*, T, H·D]: feature d of head h becomes feature h·D + d."""
    joined = np.moveaxis(x, -3, -2)
    return joined.reshape(*joined.shape[:-2], x.shape[-3] * x.shape[-1])


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 3, "x")
    *lead, heads, positions, features = x.shape
    if not heads:
        raise ValueError(f"x has shape {x.shape}: there must be at least one head")
    out = empty((*lead, positions, heads * features), x.dtype)
    _kernels.move_heads(x, out, merged=True)
    return out


def backward(g: Gradient) -> None:
    """Every number has gone to one place: its gradient comes back from there."""
    g.accumulate("x", split_heads, g.dout, heads=g["x"].data.shape[-3])


def explain(w: Derivation) -> None:
    """The number stands in another place."""
    *lead, position, column = w.index
    x = w["x"]
    head, feature = divmod(column, x.shape[-1])
    w.take("out", x[(*lead, head, position, feature)])


def axes(x: Axes) -> Axes:
    """The heads disappear among the features."""
    return (*x[:-3], x[-2], "feature")


merge_heads = Op(
    "merge_heads",
    N_("x, heads side by side"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* H≥1 T D"},
    axes=axes,
    backward=backward,
)
