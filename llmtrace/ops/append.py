"""The key/value cache as an operation: what was computed for earlier tokens, then what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(past: Array, new: Array) -> Array:
    """past [*, P, D], new [*, T, D] → [*, P + T, D]."""
    return np.concatenate([past, new], axis=-2)


def forward(past: Array, new: Array, *, empty: Empty = np.empty) -> Array:
    """The same, copied to `empty`. The models' cache does it in place (see `llmtrace.models.cache`)."""
    out = empty((*past.shape[:-2], past.shape[-2] + new.shape[-2], past.shape[-1]), past.dtype)
    np.concatenate([past, new], axis=-2, out=out)
    return out


def explain(w: Working) -> None:
    """Nothing is computed: the number was made earlier, or has just been made."""
    *lead, position, feature = w.index
    kept = w.input("past").shape[-2]
    if position < kept:
        w.take("out", w.input("past")[w.index])
    else:
        w.take("out", w.input("new")[(*lead, position - kept, feature)])


append = Op(
    "append",
    "past, then new",
    meaning,
    forward,
    explain,
    inputs=("past", "new"),
    shapes={"past": "* P D", "new": "* T D"},
)
