"""Attention scores without a mask (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3): how well each query fits each key.

So an encoder looks at a whole text, and a decoder at what the encoder has made of another one.
"""

import math

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.full_axes import queries_and_keys
from llmtrace.ops.attention.full_back import full_back
from llmtrace.ops.attention.full_mix import full_mix
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided


def meaning(q: Array, k: Array) -> Array:
    """q [*, T, D], k [*, S, D] → [*, T, S]: `(Σ q·k) / √D` for every query and every key."""
    width = q.shape[-1]
    out = np.zeros((*q.shape[:-1], k.shape[-2]), q.dtype)
    for d in range(width):
        out += q[..., :, None, d] * k[..., None, :, d]
    return out / q.dtype.type(math.sqrt(width))


def forward(q: Array, k: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(q, 2, "q")
    expect_batch_strided(k, "k")
    out = empty((*q.shape[:-1], k.shape[-2]), q.dtype)
    _kernels.attention_scores(q, k, out, full=True)
    return out


def backward(g: Gradient) -> None:
    """score = (Σ q·k) / √D:  dq = (Σ over the keys dscore·k) · 1/√D;  dk = (Σ over the queries dscore·q) · 1/√D."""
    width = g["q"].data.shape[-1]
    factor = 1 / math.sqrt(width) if width else math.inf
    if g.wants("q"):
        g.accumulate("q", scale, g.do("q.sum", full_mix, g.dout, g["k"]), factor=factor)
    if g.wants("k"):
        g.accumulate("k", scale, g.do("k.sum", full_back, g.dout, g["q"]), factor=factor)


def explain(w: Derivation) -> None:
    """One sum of products, one division by √D."""
    *leading, query, key = w.index
    q, k = w["q"], w["k"]
    total = w.dot("sum", q[(*leading, query, slice(None))], k[(*leading, key, slice(None))])
    w.divide("out", total, w.constant(math.sqrt(q.shape[-1]), "√D"))


full_scores = Op(
    "full_scores",
    "(Σ q · k) / √D",
    meaning,
    forward,
    explain,
    inputs=("q", "k"),
    shapes={"q": "* T D", "k": "* S D"},
    out="* T S",
    along=("T",),
    axes=queries_and_keys,
    batch_strided=("k",),
    one_job=True,
    backward=backward,
    how=N_("each compares a row of {a} with one of {b}: the products of their {n} features added up, divided by √{n}"),
)
