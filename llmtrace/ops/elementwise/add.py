"""Addition of two tensors of one shape: token plus position, and every step of the residual stream."""

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
    """`a + b`, element by element."""
    return a + b


def forward(a: Array, b: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("add", (a, b), empty)


def backward(g: Gradient) -> None:
    """da = dout, db = dout (out = a + b)."""
    g.pass_on("a", "b")


def explain(w: Derivation) -> None:
    """One addition."""
    w.add("out", w["a"][w.index], w["b"][w.index])


add = Op("add", "a + b", meaning, forward, explain, inputs=("a", "b"), shapes={"a": "*", "b": "*"}, backward=backward)
