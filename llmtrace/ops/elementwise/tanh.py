"""The hyperbolic tangent, correctly rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to tanh(x), element by element."""
    return elementary.tanh(x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("tanh", (x,), empty)


def backward(g: Gradient) -> None:
    """dx = dout · (1 − out·out) (out = tanh(x))."""
    g.accumulate("x", tanh_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.tanh("out", w["x"][w.index])


def gradient_meaning(out: Array, dout: Array) -> Array:
    """`dout · (1 − out·out)`, by what tanh gave: the gradient of x."""
    return np.asarray(dout * (out.dtype.type(1) - out * out))


def gradient_forward(out: Array, dout: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("tanh_gradient", (out, dout), empty)


def gradient_explain(w: Derivation) -> None:
    """Square, slope, product."""
    out = w["out"][w.index]
    slope = w.subtract("slope", w.constant(1, "1"), w.multiply("out²", out, out))
    w.multiply("out", w["dout"][w.index], slope)


tanh = Op("tanh", "tanh(x)", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
tanh_gradient = Op(
    "tanh_gradient",
    "dout · (1 − out·out)",
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("out", "dout"),
    shapes={"out": "*", "dout": "*"},
)
