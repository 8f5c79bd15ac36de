"""Values weighted by the pattern of attention without a mask, and dot products of all rows; each is in the other's gradient.

Attention Is All You Need, Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, equation 1
"""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.full_axes import queries_and_keys
from llmtrace.ops.attention.full_back import full_back
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided


def meaning(pattern: Array, v: Array) -> Array:
    """pattern [*, T, S], v [*, S, D] → [*, T, D]: Σ over all keys, ascending."""
    out = np.zeros((*pattern.shape[:-1], v.shape[-1]), pattern.dtype)
    for key in range(pattern.shape[-1]):
        out += pattern[..., key, None] * v[..., key, None, :]
    return out


def forward(pattern: Array, v: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(pattern, 2, "pattern")
    expect_batch_strided(v, "v")
    out = empty((*pattern.shape[:-1], v.shape[-1]), pattern.dtype)
    _kernels.attention_mix(pattern, v, out, full=True)
    return out


def backward(g: Gradient) -> None:
    """mix = Σ over the keys pattern·v:  dpattern = Σ over the features dmix·v;  dv = Σ over the queries pattern·dmix."""
    g.accumulate("pattern", full_products, g.dout, g["v"])
    g.accumulate("v", full_back, g["pattern"], g.dout)


def explain(w: Derivation) -> None:
    """One sum of products over the keys."""
    *leading, query, feature = w.index
    w.dot("out", w["pattern"][(*leading, query, slice(None))], w["v"][(*leading, slice(None), feature)])


def axes(pattern: Axes, v: Axes) -> Axes:
    """The keys disappear in the sum; what is left are the places of the queries, and features."""
    return (*pattern[:-2], "position" if pattern[-2] == "query" else pattern[-2], v[-1])


full_mix = Op(
    "full_mix",
    "Σ pattern · v",
    meaning,
    forward,
    explain,
    inputs=("pattern", "v"),
    shapes={"pattern": "* T S", "v": "* S D"},
    out="* T D",
    along=("T",),
    axes=axes,
    batch_strided=("v",),
    one_job=True,
    backward=backward,
    how=N_("the rows of {b}, each times its share in {a}, added up"),
)


def products_meaning(a: Array, b: Array) -> Array:
    """a [*, T, D], b [*, S, D] → [*, T, S]: `Σ a·b`."""
    out = np.zeros((*a.shape[:-1], b.shape[-2]), a.dtype)
    for d in range(a.shape[-1]):
        out += a[..., :, None, d] * b[..., None, :, d]
    return out


def products_forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """`products_meaning`, compiled."""
    expect_axes(a, 2, "a")
    expect_batch_strided(b, "b")
    out = empty((*a.shape[:-1], b.shape[-2]), a.dtype)
    _kernels.attention_products(a, b, out, full=True)
    return out


def products_backward(g: Gradient) -> None:
    """product = Σ over the features a·b:  da = Σ over the keys dproduct·b;  db = Σ over the queries dproduct·a."""
    g.accumulate("a", full_mix, g.dout, g["b"])
    g.accumulate("b", full_back, g.dout, g["a"])


def products_explain(w: Derivation) -> None:
    """One sum of products."""
    *leading, query, key = w.index
    w.dot("out", w["a"][(*leading, query, slice(None))], w["b"][(*leading, key, slice(None))])


full_products = Op(
    "full_products",
    "Σ a · b",
    products_meaning,
    products_forward,
    products_explain,
    inputs=("a", "b"),
    shapes={"a": "* T D", "b": "* S D"},
    out="* T S",
    along=("T",),
    axes=queries_and_keys,
    batch_strided=("b",),
    one_job=True,
    backward=products_backward,
    how=N_("each the products of a row of {a} and a row of {b}, added up"),
)
