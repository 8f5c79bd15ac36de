"""The sum of all numbers of a tensor."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import Op, flatten_leading, initial_sum, unravel_leading
from llmtrace.ops.rows.broadcast import broadcast


def meaning(x: Array, initial: Array | None = None) -> Array:
    """x [*] → one number: Σ in C order, from 0 or from `initial`."""
    out = initial_sum(initial, (), x.dtype)
    for number in flatten_leading(x, "x", 0).reshape(-1):
        out += number
    return out


def forward(x: Array, initial: Array | None = None, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled."""
    out = empty((), x.dtype)
    _kernels.sum_all(x, initial, out)
    return out


def backward(g: Gradient) -> None:
    """out = Σ x:  dx = dout, everywhere."""
    g.accumulate("x", broadcast, g.dout, g["x"])
    g.pass_on("initial")


def explain(w: Derivation) -> None:
    """One sum."""
    x = w["x"]
    initial = w["initial"][()] if w.has("initial") else None
    if x.shape:
        w.sum("out", x[unravel_leading(x.shape)], initial)
    else:
        w.add("out", w.constant(0, "0") if initial is None else initial, x[()])


sum_all = Op(
    "sum_all",
    "Σ x",
    meaning,
    forward,
    explain,
    inputs=("x", "initial"),
    shapes={"x": "*", "initial": "?"},
    out="",
    backward=backward,
    one_job=True,
    how=N_("all numbers of {a}, added up"),
)
