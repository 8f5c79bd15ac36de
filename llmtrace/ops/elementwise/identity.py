"""Identity: a tensor under another name, such as the gradient that an addition passes on to both of its inputs."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, expect_real, flatten_leading, new_array


def meaning(x: Array) -> Array:
    """`x`."""
    return x.copy()


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, copied to `empty`. A run does not copy: it gives the same memory a second name."""
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


identity = Op(
    "identity",
    "x",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "*"},
    backward=backward,
    how=N_("the numbers of {a}: an addition hands its gradient on as it is"),
)
