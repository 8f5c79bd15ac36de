"""The key/value cache as an operation: what was computed for earlier tokens, then what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, flatten_leading, new_array
from llmtrace.ops.rows.slice_positions import slice_positions

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(past: Array, new: Array) -> Array:
    """past [*, P, D], new [*, T, D] → [*, P + T, D]."""
    return np.concatenate([past, new], axis=-2)


def forward(past: Array, new: Array, *, empty: Empty = np.empty) -> Array:
    """The same, copied to `empty`. The models' cache does it in place (see `llmtrace.models.cache`)."""
    expect_axes(past, 2, "past")
    if past.dtype not in (np.float32, np.float64) or not past.dtype.isnative or new.dtype != past.dtype:
        raise TypeError(f"past and new must both be float32 or both float64, not {past.dtype} and {new.dtype}")
    if (*past.shape[:-2], past.shape[-1]) != (*new.shape[:-2], *new.shape[-1:]) or new.ndim != past.ndim:
        raise ValueError(
            f"past has shape {past.shape} but new has shape {new.shape}; all but the positions must be equal"
        )
    flatten_leading(past, "past"), flatten_leading(new, "new")
    out = new_array(empty, (*past.shape[:-2], past.shape[-2] + new.shape[-2], past.shape[-1]), past.dtype, past, new)
    np.concatenate([past, new], axis=-2, out=out)
    return out


def backward(g: Gradient) -> None:
    """Every number has gone to one place: its gradient comes back from there."""
    kept, added = g["past"].data.shape[-2], g["new"].data.shape[-2]
    g.accumulate("past", slice_positions, g.dout, first=0, count=kept)
    g.accumulate("new", slice_positions, g.dout, first=kept, count=added)


def explain(w: Derivation) -> None:
    """Nothing is computed: the number was made earlier, or has just been made."""
    *lead, position, feature = w.index
    kept = w["past"].shape[-2]
    if position < kept:
        w.take("out", w["past"][w.index])
    else:
        w.take("out", w["new"][(*lead, position - kept, feature)])


concatenate = Op(
    "concatenate",
    N_("past, then new"),
    meaning,
    forward,
    explain,
    inputs=("past", "new"),
    shapes={"past": "* P D", "new": "* T D"},
    backward=backward,
)
