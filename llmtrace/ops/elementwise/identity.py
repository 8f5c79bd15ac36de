"""A number that is passed on unchanged under another name: how an addition hands its gradient to both of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.op import Op, expect_real, flatten_leading, new_array

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`x`."""
    return x.copy()


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, copied to `empty`. A run does not copy: it gives the same memory a second name."""
    expect_real(x, "x")
    flatten_leading(x, "x", 0)
    out = new_array(empty, x.shape, x.dtype, x)
    out[...] = x
    return out


def backward(g: Gradient) -> None:
    """out = x:  dx = dout."""
    g.pass_on("x")


def explain(w: Derivation) -> None:
    """Nothing is computed."""
    w.take("out", w["x"][w.index])


identity = Op("identity", "x", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
