"""ReLU: negative numbers become 0, the others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(x: Array) -> Array:
    """`x` where x > 0, NaN where x is NaN, else +0."""
    return np.where(x > 0, x, np.where(np.isnan(x), x, x.dtype.type(0)))


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(x.shape, x.dtype)
    _kernels.elementwise("relu", (x,), out)
    return out


def explain(w: Working) -> None:
    """One comparison with 0."""
    w.relu("out", w.input("x")[w.index])


relu = Op("relu", "x if x > 0 else 0", meaning, forward, explain, inputs=("x",), shapes={"x": "*"})
