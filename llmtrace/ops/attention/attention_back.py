"""What comes back to each key: from every query that looked at it, times how much it looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.op import Op, expect_axes

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(pattern: Array, x: Array) -> Array:
    """pattern [*, T, S], x [*, T, D], S ≥ T → [*, S, D]: Σ over the queries t that see key s, s ≤ S − T + t, ascending."""
    queries, keys = pattern.shape[-2:]
    out = np.zeros((*pattern.shape[:-2], keys, x.shape[-1]), pattern.dtype)
    for t in range(queries):
        seen = keys - queries + t + 1
        out[..., :seen, :] += pattern[..., t, :seen, None] * x[..., t, None, :]
    return out


def forward(pattern: Array, x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(pattern, 2, "pattern")
    expect_axes(x, 1, "x")
    out = empty((*pattern.shape[:-2], pattern.shape[-1], x.shape[-1]), pattern.dtype)
    _kernels.attention_back(pattern, x, out)
    return out


def explain(w: Derivation) -> None:
    """One sum of products over the queries that see this key."""
    *lead, key, feature = w.index
    pattern, x = w["pattern"], w["x"]
    seeing = slice(max(0, key - (pattern.shape[-1] - pattern.shape[-2])), None)
    w.dot("out", pattern[(*lead, seeing, key)], x[(*lead, seeing, feature)])


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
    axes=axes,
)
