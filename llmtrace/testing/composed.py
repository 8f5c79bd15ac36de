"""What people write as one function and llmtrace does in several ops: whole attention, from q, k and v to the mix."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.ops import OPS, Op
from llmtrace.testing.bounds import BOUNDS
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["COMPOSED", "named"]


def meaning(q: Array, k: Array, v: Array) -> Array:
    """q [*, T, D], k [*, S, D], v [*, S, E], S ≥ T: query t sees the keys 0 … S − T + t and mixes their values: [*, T, E]."""
    pattern = OPS["causal_softmax"].meaning(OPS["attention_scores"].meaning(q, k))
    return np.asarray(OPS["attention_mix"].meaning(pattern, v))


def attention_bound(r: Rounding, q: Array, k: Array, v: Array) -> Close:
    """Scores, their softmax query by query, and the mix, each with the error of what went before."""
    past = k.shape[-2] - q.shape[-2]
    scale = r.constant(math.sqrt(q.shape[-1]))
    rows = []
    for t in range(q.shape[-2]):
        seen = slice(0, past + t + 1)
        score = r.divide(r.dot(r.exact(q[..., t, None, :]), r.exact(k[..., seen, :])), scale)
        e = r.exp(r.subtract(score, r.maximum(score)))
        share = r.divide(e, last(r.sum(e)))
        shares = Close(share.value[..., None, :], share.error[..., None, :])
        rows.append(r.dot(shares, r.exact(np.swapaxes(v[..., seen, :], -1, -2))))
    if not rows:
        return r.exact(np.zeros((*q.shape[:-1], v.shape[-1])))
    return Close(*(np.stack(parts, axis=-2) for parts in zip(*rows, strict=True)))


def _of_several(*arguments: Any, **settings: Any) -> Any:
    raise TypeError("this is several ops: llmtrace.ops has them one by one")


COMPOSED: dict[str, Op] = {
    "attention": Op(
        "attention",
        "Σ softmax((Σ q · k) / √D) · v, each query with its own key and the earlier ones",
        meaning,
        _of_several,
        _of_several,
        inputs=("q", "k", "v"),
        shapes={"q": "* T D", "k": "* P+T D", "v": "* P+T E"},
    )
}
"""By name, for `check_function`."""
BOUNDS["attention"] = attention_bound


def named(like: str | Op) -> Op:
    """The op of that name, or one of COMPOSED; ValueError with the nearest names where there is none."""
    if isinstance(like, Op):
        return like
    known = {**OPS, **COMPOSED}
    if like not in known:
        near = " or ".join(map(repr, get_close_matches(like, known, n=2)))
        hint = f"did you mean {near}?" if near else f"there are {', '.join(sorted(known))}"
        raise ValueError(f"there is no op {like!r}; {hint}")
    return known[like]
