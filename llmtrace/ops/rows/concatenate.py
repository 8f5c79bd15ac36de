"""Concatenation along the positions: how a key/value cache grows."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_axes, flatten_leading, new_array
from llmtrace.ops.part import Asked, Part
from llmtrace.ops.rows.slice_positions import slice_positions


def meaning(past: Array, new: Array) -> Array:
    """past [*, P, D], new [*, T, D] → [*, P + T, D]."""
    return np.concatenate([past, new], axis=-2)


def forward(past: Array, new: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, copied to `empty`. The models' cache does it in place (see `llmtrace.models.cache`)."""
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
    """A permutation: its gradient is the inverse one."""
    kept, added = g["past"].data.shape[-2], g["new"].data.shape[-2]
    g.accumulate("past", slice_positions, g.dout, first=0, count=kept)
    g.accumulate("new", slice_positions, g.dout, first=kept, count=added)


def explain(w: Derivation) -> None:
    """Nothing is computed: the number was made earlier, or has just been made."""
    *leading, position, feature = w.index
    kept = w["past"].shape[-2]
    if position < kept:
        w.take("out", w["past"][w.index])
    else:
        w.take("out", w["new"][(*leading, position - kept, feature)])


def axes(past: Axes, new: Axes) -> Axes:
    """Those of `past`; only the number of positions differs."""
    return past


def part(asked: Asked) -> Part:
    """The rows that are asked for: those of the past, and those of the new ones."""
    *leading, rows, _last = asked.box
    kept, added = asked.shape_of("past")[-2], asked.shape_of("new")
    features = range(added[-1])
    past = range(min(rows.start, kept), min(rows.stop, kept))
    new = range(max(rows.start - kept, 0), max(rows.stop - kept, 0))
    return Part((*leading, rows, features), {"past": (*leading, past, features), "new": (*leading, new, features)})


concatenate = Op(
    "concatenate",
    N_("past, then new"),
    meaning,
    forward,
    explain,
    inputs=("past", "new"),
    axes=axes,
    shapes={"past": "* P D", "new": "* T D"},
    out="* P+T D",
    backward=backward,
    part=part,
    how=N_("those kept in the cache, and behind them the new ones, {b}"),
)
