"""The gradient of an attention pattern: dot products of the mix's gradient with the values."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided
from llmtrace.ops.part import causal


def meaning(a: Array, b: Array) -> Array:
    """a [*, T, D], b [*, S, D], S ≥ T → [*, T, S]: `Σ a·b` for the keys 0 … S − T + t of query t; masked ones are 0."""
    queries, keys = a.shape[-2], b.shape[-2]
    out = np.zeros((*a.shape[:-1], keys), a.dtype)
    for d in range(a.shape[-1]):
        out += a[..., :, None, d] * b[..., None, :, d]
    seen = np.arange(keys) <= np.arange(queries)[:, None] + (keys - queries)
    return np.where(seen, out, a.dtype.type(0))


def forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled; products of masked keys are not computed."""
    expect_axes(a, 2, "a")
    expect_batch_strided(b, "b")
    out = empty((*a.shape[:-1], b.shape[-2]), a.dtype)
    _kernels.attention_products(a, b, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products; or masked."""
    *leading, query, key = w.index
    a, b = w["a"], w["b"]
    if key > query + b.shape[-2] - a.shape[-2]:
        w.masked("out", 0.0)
    else:
        w.dot("out", a[(*leading, query, slice(None))], b[(*leading, key, slice(None))])


def axes(a: Axes, b: Axes) -> Axes:
    """Positions of queries against positions of keys."""
    return (*a[:-2], "query", "key")


attention_products = Op(
    "attention_products",
    "Σ a · b",
    meaning,
    forward,
    explain,
    inputs=("a", "b"),
    shapes={"a": "* T D", "b": "* P+T D"},
    out="* T P+T",
    axes=axes,
    batch_strided=("b",),
    part=causal(queries=("a",), keys=("b",), masked=0.0),
    one_job=True,
    how=N_("each the products of a row of {a} and a row of {b}, added up; later tokens do not count"),
)
