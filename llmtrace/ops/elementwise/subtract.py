"""Subtraction of two tensors of one shape: how far off a prediction is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(a: Array, b: Array) -> Array:
    """`a − b`, element by element."""
    return a - b


def forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("subtract", (a, b), empty)


def backward(g: Gradient) -> None:
    """da = dout; db = −dout (out = a − b)."""
    g.pass_on("a")
    g.accumulate("b", scale, g.dout, factor=-1.0)


def explain(w: Derivation) -> None:
    """One subtraction."""
    w.subtract("out", w["a"][w.index], w["b"][w.index])


subtract = Op(
    "subtract",
    "a − b",
    meaning,
    forward,
    explain,
    inputs=("a", "b"),
    shapes={"a": "*", "b": "*"},
    backward=backward,
)
