"""The gradient of keys and values: a sum over the queries that see them, weighted by the pattern or its gradient."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes


def meaning(pattern: Array, x: Array) -> Array:
    """pattern [*, T, S], x [*, T, D], S ≥ T → [*, S, D]: Σ over the queries t that see key s, s ≤ S − T + t, ascending."""
    queries, keys = pattern.shape[-2:]
    out = np.zeros((*pattern.shape[:-2], keys, x.shape[-1]), pattern.dtype)
    for t in range(queries):
        seen = keys - queries + t + 1
        out[..., :seen, :] += pattern[..., t, :seen, None] * x[..., t, None, :]
    return out


def forward(pattern: Array, x: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(pattern, 2, "pattern")
    expect_axes(x, 1, "x")
    out = empty((*pattern.shape[:-2], pattern.shape[-1], x.shape[-1]), pattern.dtype)
    _kernels.attention_back(pattern, x, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over the queries that see this key."""
    *leading, key, feature = w.index
    pattern, x = w["pattern"], w["x"]
    seeing = slice(max(0, key - (pattern.shape[-1] - pattern.shape[-2])), None)
    w.dot("out", pattern[(*leading, seeing, key)], x[(*leading, seeing, feature)])


def axes(pattern: Axes, x: Axes) -> Axes:
    """The queries disappear in the sum; what is left are positions and features."""
    return (*pattern[:-2], "position", "feature")


attention_back = Op(
    "attention_back",
    "Σ pattern · x",
    meaning,
    forward,
    explain,
    inputs=("pattern", "x"),
    shapes={"pattern": "* T P+T", "x": "* T D"},
    out="* P+T D",
    axes=axes,
    one_job=True,
    how=N_("each the sum, over the queries that see a key, of the products of {a} and {b}"),
)
