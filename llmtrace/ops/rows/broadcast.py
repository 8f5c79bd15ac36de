"""One number written everywhere: the gradient of a sum, to which every term adds alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_real, flatten_leading, new_array

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(x: Array, like: Array) -> Array:
    """One number `x` → the shape of `like`, whose own numbers do not matter."""
    return np.full(like.shape, x, x.dtype)


def forward(x: Array, like: Array, *, empty: Empty = np.empty) -> Array:
    """The same, written to `empty`."""
    expect_real(x, "x")
    flatten_leading(x, "x", 0)
    flatten_leading(like, "like", 0)
    if x.ndim or like.dtype != x.dtype:
        raise (ValueError if x.ndim else TypeError)(
            f"x must be one number of the type of like, not {x.dtype} of shape {x.shape} beside {like.dtype}"
        )
    out = new_array(empty, like.shape, x.dtype, x, like)
    out[...] = x
    return out


def explain(w: Derivation) -> None:
    """Nothing is computed."""
    w.take("out", w["x"][()])


def axes(x: Axes, like: Axes) -> Axes:
    """Those of `like`."""
    return like


broadcast = Op(
    "broadcast",
    N_("x, everywhere"),
    meaning,
    forward,
    explain,
    inputs=("x", "like"),
    shapes={"x": "", "like": "*"},
    axes=axes,
)
