"""The exponential function, correctly rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.ops import reference
from llmtrace.ops.elementwise import elementwise
from llmtrace.ops.multiply import multiply
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to exp(x), element by element."""
    return reference.exp(x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("exp", (x,), empty)


def backward(g: Gradient) -> None:
    """dx = dout · out (out = exp(x), which is its own slope)."""
    g.give("x", multiply, g.dout, g.out)


def explain(w: Working) -> None:
    """One elementary function."""
    w.exp("out", w.input("x")[w.index])


exp = Op("exp", "exp(x)", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
