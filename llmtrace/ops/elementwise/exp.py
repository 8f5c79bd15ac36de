"""The exponential function, correctly rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to exp(x), element by element."""
    return elementary.exp(x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("exp", (x,), empty)


def backward(g: Gradient) -> None:
    """dx = dout · out (out = exp(x), which is its own slope)."""
    g.accumulate("x", multiply, g.dout, g.out)


def explain(w: Derivation) -> None:
    """One elementary function."""
    w.exp("out", w["x"][w.index])


exp = Op("exp", "exp(x)", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
