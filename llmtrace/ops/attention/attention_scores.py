"""Attention scores (Vaswani et al. 2017, arXiv:1706.03762, equation 1): how well each query fits each key."""

import math

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.attention_back import attention_back
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided
from llmtrace.ops.part import causal


def meaning(q: Array, k: Array) -> Array:
    """q [*, T, D], k [*, S, D], S ≥ T → [*, T, S]: `(Σ q·k) / √D` for the keys 0 … S − T + t of query t; the others are −∞."""
    queries, keys, width = q.shape[-2], k.shape[-2], q.shape[-1]
    out = np.zeros((*q.shape[:-1], keys), q.dtype)
    for d in range(width):
        out += q[..., :, None, d] * k[..., None, :, d]
    out = out / q.dtype.type(math.sqrt(width))
    seen = np.arange(keys) <= np.arange(queries)[:, None] + (keys - queries)
    return np.where(seen, out, q.dtype.type(-np.inf))


def forward(q: Array, k: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled; scores of masked keys are not computed."""
    expect_axes(q, 2, "q")
    expect_batch_strided(k, "k")
    out = empty((*q.shape[:-1], k.shape[-2]), q.dtype)
    _kernels.attention_scores(q, k, out)
    return out


def backward(g: Gradient) -> None:
    """score = (Σ q·k) / √D:  dq = (Σ over the keys dscore·k) · 1/√D;  dk = (Σ over the queries dscore·q) · 1/√D."""
    width = g["q"].data.shape[-1]
    factor = 1 / math.sqrt(width) if width else math.inf
    if g.wants("q"):
        g.accumulate("q", scale, g.do("q.sum", attention_mix, g.dout, g["k"]), factor=factor)
    if g.wants("k"):
        g.accumulate("k", scale, g.do("k.sum", attention_back, g.dout, g["q"]), factor=factor)


def explain(w: Derivation) -> None:
    """One sum of products, one division by √D; or masked."""
    *leading, query, key = w.index
    q, k = w["q"], w["k"]
    if key > query + k.shape[-2] - q.shape[-2]:
        w.masked("out", -math.inf)
        return
    total = w.dot("sum", q[(*leading, query, slice(None))], k[(*leading, key, slice(None))])
    w.divide("out", total, w.constant(math.sqrt(q.shape[-1]), "√D"))


def axes(q: Axes, k: Axes) -> Axes:
    """Positions of queries against positions of keys."""
    return (*q[:-2], "query", "key")


attention_scores = Op(
    "attention_scores",
    "(Σ q · k) / √D",
    meaning,
    forward,
    explain,
    inputs=("q", "k"),
    shapes={"q": "* T D", "k": "* P+T D"},
    out="* T P+T",
    axes=axes,
    batch_strided=("k",),
    one_job=True,
    part=causal(queries=("q",), keys=("k",), masked=-math.inf),
    backward=backward,
    how=N_("each compares a row of {a} with one of {b}: the products of their {n} features added up, divided by √{n}"),
)
