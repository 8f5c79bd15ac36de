"""The hyperbolic tangent, correctly rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops import reference
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(x: Array) -> Array:
    """The float32 or float64 nearest to tanh(x), element by element."""
    return reference.tanh(x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(x.shape, x.dtype)
    _kernels.elementwise("tanh", (x,), out)
    return out


def explain(w: Working) -> None:
    """One elementary function."""
    w.tanh("out", w.input("x")[w.index])


tanh = Op("tanh", "tanh(x)", meaning, forward, explain, inputs=("x",), shapes={"x": "*"})
