"""The output of attention: values weighted by the pattern (Vaswani et al. 2017, arXiv:1706.03762, equation 1)."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.attention.attention_back import attention_back
from llmtrace.ops.attention.attention_products import attention_products
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, expect_batch_strided
from llmtrace.ops.part import causal


def meaning(pattern: Array, v: Array) -> Array:
    """pattern [*, T, S], v [*, S, D], S ≥ T → [*, T, D]: Σ over the keys 0 … S − T + t; masked keys are skipped."""
    queries, keys = pattern.shape[-2:]
    out = np.zeros((*pattern.shape[:-1], v.shape[-1]), pattern.dtype)
    for key in range(keys):
        first = max(0, key - (keys - queries))
        out[..., first:, :] += pattern[..., first:, key, None] * v[..., key, None, :]
    return out


def forward(pattern: Array, v: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    expect_axes(pattern, 2, "pattern")
    expect_batch_strided(v, "v")
    out = empty((*pattern.shape[:-1], v.shape[-1]), pattern.dtype)
    _kernels.attention_mix(pattern, v, out)
    return out


def backward(g: Gradient) -> None:
    """mix = Σ over the keys pattern·v:  dpattern = Σ over the features dmix·v;  dv = Σ over the queries pattern·dmix."""
    g.accumulate("pattern", attention_products, g.dout, g["v"])
    g.accumulate("v", attention_back, g["pattern"], g.dout)


def explain(w: Derivation) -> None:
    """One sum of products over the keys that this query may see."""
    *leading, query, feature = w.index
    pattern, v = w["pattern"], w["v"]
    kept = pattern.shape[-1] - pattern.shape[-2] + query + 1
    w.dot("out", pattern[(*leading, query, slice(kept))], v[(*leading, slice(kept), feature)])


def axes(pattern: Axes, v: Axes) -> Axes:
    """The keys disappear in the sum; what is left are positions and features."""
    return (*pattern[:-2], "position", "feature")


attention_mix = Op(
    "attention_mix",
    "Σ pattern · v",
    meaning,
    forward,
    explain,
    inputs=("pattern", "v"),
    shapes={"pattern": "* T P+T", "v": "* P+T D"},
    out="* T D",
    axes=axes,
    batch_strided=("v",),
    one_job=True,
    part=causal(keys=("v",), pairs=("pattern",)),
    backward=backward,
    how=N_("the rows of {b}, each times its share in {a}, added up"),
)
