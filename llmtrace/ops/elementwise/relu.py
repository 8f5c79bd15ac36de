"""ReLU: negative numbers become 0, the others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`x` where x > 0, NaN where x is NaN, else +0."""
    return np.where(x > 0, x, np.where(np.isnan(x), x, x.dtype.type(0)))


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("relu", (x,), empty)


def backward(g: Gradient) -> None:
    """dx = dout where x > 0, else 0 (out = x if x > 0 else 0)."""
    g.accumulate("x", relu_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """One comparison with 0."""
    w.relu("out", w["x"][w.index])


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout` where x > 0, NaN where x is NaN, else +0: the gradient of x."""
    return np.where(x > 0, dout, np.where(np.isnan(x), x, x.dtype.type(0)))


def gradient_forward(x: Array, dout: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("relu_gradient", (x, dout), empty)


def gradient_explain(w: Derivation) -> None:
    """One comparison with 0."""
    zero = w.constant(0, "0")
    w.above("out", w["x"][w.index], zero, w["dout"][w.index], zero)


relu = Op("relu", "x if x > 0 else 0", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
relu_gradient = Op(
    "relu_gradient",
    N_("dout if x > 0 else 0"),
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("x", "dout"),
    shapes={"x": "*", "dout": "*"},
)
