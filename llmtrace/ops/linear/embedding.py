"""Embedding: rows of a table of weights, by token or by position."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_kernel
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, initial_sum, unravel_leading


def meaning(ids: Array, weight: Array) -> Array:
    """Row `ids[...]` of `weight` [V, C]."""
    return weight[ids]


SHAPES = {"ids": "* < V", "weight": "V C"}
rows_of = row_kernel("embedding", {**SHAPES, "out": "* C"})


def forward(ids: Array, weight: Array | _kernels.PackedMatrix, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled; `weight` may be packed as it is stored."""
    if not isinstance(weight, _kernels.PackedMatrix):
        return rows_of((ids, weight), empty)
    out = empty((*ids.shape, weight.depth), np.float32)
    _kernels.widened_columns(weight, ids, out)
    return out


def backward(g: Gradient) -> None:
    """out = weight[id]:  dweight[v] = Σ dout over the positions with id v."""
    g.accumulate("weight", embedding_gradient, g["ids"], g.dout, rows=g["weight"].data.shape[0])


def explain(w: Derivation) -> None:
    """Nothing is computed: the number is read from the table."""
    *place, feature = w.index
    row = w["ids"][tuple(place)]
    w.look_up("out", row, w["weight"][int(row.values), feature])


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
    shapes=SHAPES,
    out="* C",
    weights=("weight",),
    axes=axes,
    gathered=("weight",),
    backward=backward,
    how=N_("rows of a learned table; {a} says which row"),
)


# ---- the gradient of the table ---------------------------------------------------------------------------------------


def gradient_meaning(ids: Array, dout: Array, initial: Array | None = None, *, rows: int) -> Array:
    """ids [*], dout [*, C] → [V, C]: row v is Σ dout over the positions with id v, in C order, from 0 or from `initial`."""
    out = initial_sum(initial, (rows, dout.shape[-1]), dout.dtype)
    for row, change in zip(ids.reshape(-1), dout.reshape(ids.size, dout.shape[-1]), strict=True):
        out[row] += change
    return out


def gradient_forward(
    ids: Array, dout: Array, initial: Array | None = None, *, rows: int, empty: Empty = np.empty
) -> Array:
    """`gradient_meaning`, compiled; an id outside the table raises IndexError."""
    expect_axes(dout, 1, "dout")
    out = empty((rows, dout.shape[-1]), dout.dtype)
    _kernels.embedding_gradient(ids, dout, initial, out)
    return out


def gradient_explain(w: Derivation) -> None:
    """One sum over the positions that read this row of the table."""
    row, feature = w.index
    ids, dout = w["ids"], w["dout"]
    *places, _ = unravel_leading(dout.shape[:-1], feature) if ids.shape else (np.arange(1), feature)
    read = (ids[tuple(places)] if ids.shape else ids[()]).values.reshape(-1) == row
    chosen = (*(place[read] for place in places), feature) if ids.shape else (np.full(int(read.sum()), feature),)
    if w.has("initial") and not read.any():
        w.take("out", w["initial"][w.index])
    else:
        w.sum("out", dout[chosen], w["initial"][w.index] if w.has("initial") else None)


embedding_gradient = Op(
    "embedding_gradient",
    "Σ dout[id = row]",
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("ids", "dout", "initial"),
    shapes={"ids": "* < V", "dout": "* C", "initial": "V C ?", "rows": "V"},
    out="V C",
    how=N_("the rows of {b}, added up for every row of the table that was read; {a} says which"),
)
