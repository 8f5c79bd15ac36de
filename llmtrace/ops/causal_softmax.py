"""Softmax of attention scores: each query shares its attention among its own key and the earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops.op import Array, Empty, Op, expect_axes
from llmtrace.ops.softmax import explain_row
from llmtrace.ops.softmax import meaning as softmax_of

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(x: Array) -> Array:
    """Scores [*, T, S] with S ≥ T: query t keeps the keys 0 … S − T + t; the later ones are masked and get 0."""
    queries, keys = x.shape[-2:]
    out = np.zeros_like(x)
    for t in range(queries):
        kept = keys - queries + t + 1
        out[..., t, :kept] = softmax_of(x[..., t, :kept])
    return out


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 2, "x")
    out = empty(x.shape, x.dtype)
    _kernels.softmax(x, out, causal=True)
    return out


def explain(w: Working) -> None:
    """Softmax of the keys that this query may see."""
    *lead, query, key = w.index
    x = w.input("x")
    kept = x.shape[-1] - x.shape[-2] + query + 1
    if key >= kept:
        w.masked("out", 0.0)
    else:
        explain_row(w, x[(*lead, query, slice(kept))], x[w.index])


causal_softmax = Op(
    "causal_softmax",
    "exp(x − maximum) / Σ exp(x − maximum), over the keys up to the query",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* T P+T"},
)
