"""Embedding: a token's row of a table of weights, and a position's row of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops.op import Array, Axes, Empty, Op, expect_axes

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(ids: Array, weight: Array) -> Array:
    """Row `ids[...]` of `weight` [V, C]."""
    return weight[ids]


def forward(ids: Array, weight: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled; an id outside the table raises IndexError."""
    expect_axes(weight, 2, "weight")
    out = empty((*ids.shape, weight.shape[-1]), weight.dtype)
    _kernels.embedding(ids, weight, out)
    return out


def explain(w: Working) -> None:
    """Nothing is computed: the number is read from the table."""
    *place, feature = w.index
    row = w.input("ids")[tuple(place)]
    w.look_up("out", row, w.weight("weight")[int(row.values), feature])


def axes(ids: Axes, weight: Axes) -> Axes:
    """One more axis: the features of the row."""
    return (*ids, "feature")


embedding = Op(
    "embedding",
    "weight[id]",
    meaning,
    forward,
    explain,
    inputs=("ids",),
    weights=("weight",),
    shapes={"ids": "* < V", "weight": "V C"},
    axes=axes,
)
