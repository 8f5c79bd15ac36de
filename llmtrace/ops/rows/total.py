"""The sum of all numbers of a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.op import Op, begun, over_positions, rows_of
from llmtrace.ops.rows.spread import spread

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array, start: Array | None = None) -> Array:
    """x [*] → one number: Σ in C order, from 0 or from `start`."""
    out = begun(start, (), x.dtype)
    for number in rows_of(x, "x", 0).reshape(-1):
        out += number
    return out


def forward(x: Array, start: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty((), x.dtype)
    _kernels.total(x, start, out)
    return out


def backward(g: Gradient) -> None:
    """out = Σ x:  dx = dout, everywhere."""
    g.give("x", spread, g.dout, g["x"])
    g.pass_on("start")


def explain(w: Derivation) -> None:
    """One sum."""
    x = w.input("x")
    start = w.input("start")[()] if w.has("start") else None
    if x.shape:
        w.sum("out", x[over_positions(x.shape)], start)
    else:
        w.add("out", w.constant(0, "0") if start is None else start, x[()])


def axes(x: Axes, start: Axes | None = None) -> Axes:
    """One number."""
    return ()


total = Op(
    "total",
    "Σ x",
    meaning,
    forward,
    explain,
    inputs=("x", "start"),
    shapes={"x": "*", "start": "?"},
    axes=axes,
    backward=backward,
)
