"""One row of many: the scores after one token of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.op import Op, expect_axes, expect_real, new_array, rows_of

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(place: Array, x: Array) -> Array:
    """place [*] from 0 to T − 1, x [*, T, V] → [*, V]: row `place` of x."""
    return np.take_along_axis(x, place[..., None, None], axis=-2)[..., 0, :]


def forward(place: Array, x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, copied to `empty`; a place that x does not have raises IndexError."""
    expect_axes(x, 2, "x")
    expect_real(x, "x")
    if place.dtype != np.int64 or not place.dtype.isnative:
        raise TypeError(f"place must be int64, not {place.dtype}")
    if place.shape != x.shape[:-2]:
        raise ValueError(f"place has shape {place.shape}, but x has shape {x.shape}: give one place for each x[T, V]")
    rows_of(x, "x", 2), rows_of(place, "place", 0)
    if place.size and not 0 <= place.min() <= place.max() < x.shape[-2]:
        raise IndexError(f"there is no row {place.max() if place.min() >= 0 else place.min()}; x has {x.shape[-2]}")
    out = new_array(empty, (*x.shape[:-2], x.shape[-1]), x.dtype, place, x)
    out[...] = meaning(place, x)
    return out


def explain(w: Derivation) -> None:
    """Nothing is computed: the number stands in that row."""
    *lead, feature = w.index
    place = w.input("place")[tuple(lead)]
    w.look_up("out", place, w.input("x")[(*lead, int(place.values), feature)])


def axes(place: Axes, x: Axes) -> Axes:
    """The rows' axis disappears."""
    return (*x[:-2], *x[-1:])


pick = Op(
    "pick",
    "x[place]",
    meaning,
    forward,
    explain,
    inputs=("place", "x"),
    shapes={"place": "* < T", "x": "* T V"},
    axes=axes,
)
