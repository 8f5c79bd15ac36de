"""Multiplication of two tensors of one shape, element by element: gates, masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`a · b`, element by element."""
    return a * b


def forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("multiply", (a, b), empty)


def backward(g: Gradient) -> None:
    """da = dout · b, db = dout · a (out = a · b)."""
    g.accumulate("a", multiply, g.dout, g["b"])
    g.accumulate("b", multiply, g.dout, g["a"])


def explain(w: Derivation) -> None:
    """One multiplication."""
    w.multiply("out", w["a"][w.index], w["b"][w.index])


multiply = Op(
    "multiply", "a · b", meaning, forward, explain, inputs=("a", "b"), shapes={"a": "*", "b": "*"}, backward=backward
)
