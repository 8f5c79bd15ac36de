"""Softmax of attention scores: each query shares its attention among its own key and the earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.op import Op
from llmtrace.ops.rows.softmax import explain_row, gradient_explain_row
from llmtrace.ops.rows.softmax import gradient_meaning as gradient_of
from llmtrace.ops.rows.softmax import meaning as softmax_of

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


SHAPES = {"x": "* T P+T"}
KERNEL = row_kernel("softmax", SHAPES, out="* T P+T")  # masks where its row has two sizes


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
    return KERNEL((x,), empty)


def backward(g: Gradient) -> None:
    """As of softmax, over the keys that a query sees; the masked ones get 0."""
    g.accumulate("x", causal_softmax_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """Softmax of the keys that this query may see."""
    *lead, query, key = w.index
    x = w["x"]
    kept = x.shape[-1] - x.shape[-2] + query + 1
    if key >= kept:
        w.masked("out", 0.0)
    else:
        explain_row(w, x[(*lead, query, slice(kept))], x[w.index])


causal_softmax = Op(
    "causal_softmax",
    N_("exp(x − maximum) / Σ exp(x − maximum), over the keys up to the query"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes=SHAPES,
    backward=backward,
)


# ---- its gradient ----------------------------------------------------------------------------------------------------


GRADIENT_SHAPES = {"p": "* T P+T", "dout": "* T P+T"}
GRADIENT_KERNEL = row_kernel("softmax_gradient", GRADIENT_SHAPES, out="* T P+T")


def gradient_meaning(p: Array, dout: Array) -> Array:
    """From the pattern p [*, T, S]: p · (dout − Σ dout·p) over the keys 0 … S − T + t of query t; masked ones are 0."""
    queries, keys = p.shape[-2:]
    out = np.zeros_like(p)
    for t in range(queries):
        kept = keys - queries + t + 1
        out[..., t, :kept] = gradient_of(p[..., t, :kept], dout[..., t, :kept])
    return out


def gradient_forward(p: Array, dout: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return GRADIENT_KERNEL((p, dout), empty)


def gradient_explain(w: Derivation) -> None:
    """The gradient of softmax, over the keys that this query may see."""
    *lead, query, key = w.index
    queries, keys = w.shape[-2:]
    kept = keys - queries + query + 1
    if key >= kept:
        w.masked("out", 0.0)
    else:
        gradient_explain_row(w, (*lead, query, slice(kept)))


causal_softmax_gradient = Op(
    "causal_softmax_gradient",
    N_("p · (dout − Σ dout · p), over the keys up to the query"),
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("p", "dout"),
    shapes=GRADIENT_SHAPES,
)
