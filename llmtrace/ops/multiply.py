"""Multiplication of two tensors of one shape, element by element: gates, masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(a: Array, b: Array) -> Array:
    """`a · b`, element by element."""
    return a * b


def forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(a.shape, a.dtype)
    _kernels.elementwise("multiply", (a, b), out)
    return out


def explain(w: Working) -> None:
    """One multiplication."""
    w.multiply("out", w.input("a")[w.index], w.input("b")[w.index])


multiply = Op("multiply", "a · b", meaning, forward, explain, inputs=("a", "b"), shapes={"a": "*", "b": "*"})
