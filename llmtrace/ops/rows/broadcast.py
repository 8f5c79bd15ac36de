"""One number broadcast to a shape: the gradient of a sum, in which every term has slope 1."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_real, flatten_leading, new_array


def meaning(x: Array, like: Array) -> Array:
    """One number `x` → the shape of `like`, whose own numbers do not matter."""
    return np.full(like.shape, x, x.dtype)


def forward(x: Array, like: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, written to `empty`."""
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


broadcast = Op(
    "broadcast",
    N_("x, everywhere"),
    meaning,
    forward,
    explain,
    inputs=("x", "like"),
    shapes={"x": "", "like": "*"},
    how=N_("{a}, everywhere the same"),
)
