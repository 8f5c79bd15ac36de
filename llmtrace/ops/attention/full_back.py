"""The gradient of keys and values where every query sees every key: a sum over all queries."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes


def meaning(pattern: Array, x: Array) -> Array:
    """pattern [*, T, S], x [*, T, D] → [*, S, D]: Σ over all queries, ascending."""
    out = np.zeros((*pattern.shape[:-2], pattern.shape[-1], x.shape[-1]), pattern.dtype)
    for t in range(pattern.shape[-2]):
        out += pattern[..., t, :, None] * x[..., t, None, :]
    return out


def forward(pattern: Array, x: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(pattern, 2, "pattern")
    expect_axes(x, 1, "x")
    out = empty((*pattern.shape[:-2], pattern.shape[-1], x.shape[-1]), pattern.dtype)
    _kernels.attention_back(pattern, x, out, full=True)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over the queries."""
    *leading, key, feature = w.index
    w.dot("out", w["pattern"][(*leading, slice(None), key)], w["x"][(*leading, slice(None), feature)])


def axes(pattern: Axes, x: Axes) -> Axes:
    """The queries disappear in the sum; what is left are the places of the keys, and features."""
    return (*pattern[:-2], pattern[-1], x[-1])


full_back = Op(
    "full_back",
    "Σ pattern · x",
    meaning,
    forward,
    explain,
    inputs=("pattern", "x"),
    shapes={"pattern": "* T S", "x": "* T D"},
    out="* S D",
    axes=axes,
    one_job=True,
    how=N_("each the sum, over all queries, of the products of {a} and {b}"),
)
