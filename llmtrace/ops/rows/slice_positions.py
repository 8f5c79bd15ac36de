"""A slice of positions: the gradient of a concatenation."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array


def meaning(x: Array, *, first: int, count: int) -> Array:
    """x [*, P, D] → [*, count, D]: the positions first … first + count − 1."""
    return x[..., first : first + count, :].copy()


def forward(x: Array, *, first: int, count: int, empty: Empty = np.empty) -> Array:
    """`meaning`, copied to `empty`."""
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
    *leading, position, feature = w.index
    w.take("out", w["x"][(*leading, w.settings["first"] + position, feature)])


def axes(x: Axes) -> Axes:
    """Those of `x`; only the number of positions differs."""
    return x


slice_positions = Op(
    "slice_positions",
    N_("x from position `first` on"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    axes=axes,
    shapes={"x": "* F+E+N D", "first": "F", "count": "N"},
    out="* N D",
)
