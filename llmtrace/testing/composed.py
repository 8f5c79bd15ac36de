"""What people write as one function and llmtrace does in several ops: whole attention, from q, k and v to the mix."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.near import near
from llmtrace.ops import OPS, Op

__all__ = ["COMPOSED", "named"]


def meaning(q: Array, k: Array, v: Array) -> Array:
    """q [*, T, D], k [*, S, D], v [*, S, E], S ≥ T: query t sees the keys 0 … S − T + t and mixes their values: [*, T, E]."""
    pattern = OPS["causal_softmax"].meaning(OPS["attention_scores"].meaning(q, k))
    return np.asarray(OPS["attention_mix"].meaning(pattern, v))


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
        out="* T E",
    )
}
"""By name, for `check_function`."""


def named(like: str | Op) -> Op:
    """The op of that name, or one of COMPOSED; ValueError with the nearest names where there is none."""
    if isinstance(like, Op):
        return like
    known = {**OPS, **COMPOSED}
    if like not in known:
        meant = " or ".join(map(repr, near(like, known, 2)))
        hint = f"did you mean {meant}?" if meant else f"there are {', '.join(sorted(known))}"
        raise ValueError(f"there is no op {like!r}; {hint}")
    return known[like]
