"""Some of the positions of a tensor: what comes back through a cache to what was put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(x: Array, *, first: int, count: int) -> Array:
    """x [*, P, D] → [*, count, D]: the positions first … first + count − 1."""
    return x[..., first : first + count, :].copy()


def forward(x: Array, *, first: int, count: int, empty: Empty = np.empty) -> Array:
    """The same, copied to `empty`."""
    expect_real(x, "x")
    expect_axes(x, 2, "x")
    flatten_leading(x, "x")
    if first < 0 or count < 0 or first + count > x.shape[-2]:
        raise ValueError(f"x has {x.shape[-2]} positions, not {count} from {first} on")
    out = new_array(empty, (*x.shape[:-2], count, x.shape[-1]), x.dtype, x)
    out[...] = x[..., first : first + count, :]
    return out


def explain(w: Derivation) -> None:
    """Nothing is computed."""
    *lead, position, feature = w.index
    w.take("out", w["x"][(*lead, w.settings["first"] + position, feature)])


slice_positions = Op(
    "slice_positions",
    N_("x from position `first` on"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* F+E+N D", "first": "F", "count": "N"},
)
