"""Softmax of attention scores under the causal mask: over a query's own key and the earlier ones."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.part import causal
from llmtrace.ops.rows.softmax import explain_row, gradient_explain_row
from llmtrace.ops.rows.softmax import gradient_meaning as gradient_of
from llmtrace.ops.rows.softmax import meaning as softmax_of


def meaning(x: Array) -> Array:
    """Scores [*, T, S], S ≥ T: softmax of the keys 0 … S − T + t of query t; the later ones are masked and get 0."""
    queries, keys = x.shape[-2:]
    out = np.zeros_like(x)
    for t in range(queries):
        kept = keys - queries + t + 1
        out[..., t, :kept] = softmax_of(x[..., t, :kept])
    return out


def backward(g: Gradient) -> None:
    """p = e / Σe over the keys that a query sees:  dx = p · (dp − Σ dp·p); the masked ones get 0."""
    g.accumulate("x", causal_softmax_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """Softmax of the keys that this query may see."""
    *leading, query, key = w.index
    x = w["x"]
    kept = x.shape[-1] - x.shape[-2] + query + 1
    if key >= kept:
        w.masked("out", 0.0)
    else:
        explain_row(w, x[(*leading, query, slice(kept))], x[w.index])


causal_softmax = row_op(
    "causal_softmax",
    N_("exp(x − maximum) / Σ exp(x − maximum), over the keys up to the query"),
    meaning,
    explain,
    shapes={"x": "* T P+T"},
    out="* T P+T",
    backward=backward,
    part=causal(pairs=("x",), masked=0.0),
    how=N_("e to the power of each number of {a}, divided by the sum of these; later tokens do not count, and get 0"),
)


# ---- its gradient ----------------------------------------------------------------------------------------------------


def gradient_meaning(p: Array, dout: Array) -> Array:
    """The pattern p, dout [*, T, S]: `p · (dout − Σ dout·p)` over the keys 0 … S − T + t of query t; masked ones are 0."""
    queries, keys = p.shape[-2:]
    out = np.zeros_like(p)
    for t in range(queries):
        kept = keys - queries + t + 1
        out[..., t, :kept] = gradient_of(p[..., t, :kept], dout[..., t, :kept])
    return out


def gradient_explain(w: Derivation) -> None:
    """The gradient of softmax, over the keys that this query may see."""
    *leading, query, key = w.index
    queries, keys = w.shape[-2:]
    kept = keys - queries + query + 1
    if key >= kept:
        w.masked("out", 0.0)
    else:
        gradient_explain_row(w, (*leading, query, slice(kept)))


causal_softmax_gradient = row_op(
    "causal_softmax_gradient",
    N_("p · (dout − Σ dout · p), over the keys up to the query"),
    gradient_meaning,
    gradient_explain,
    shapes={"p": "* T P+T", "dout": "* T P+T"},
    out="* T P+T",
    part=causal(pairs=("p", "dout"), masked=0.0),
    how=N_("each share in {a}, times how much the gradient of that share, in {b}, lies above the mean of its row"),
)
