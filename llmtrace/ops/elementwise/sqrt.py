"""The square root; that of a negative number is NaN, that of −0 is −0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`√x`, element by element."""
    return np.asarray(np.sqrt(x))


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("sqrt", (x,), empty)


def backward(g: Gradient) -> None:
    """dx = dout / (2·out) (out = √x)."""
    if g.wants("x"):
        g.accumulate("x", divide, g.dout, g.do("twice", scale, g.out, factor=2.0))


def explain(w: Derivation) -> None:
    """One square root."""
    w.root("out", w["x"][w.index])


sqrt = Op("sqrt", "√x", meaning, forward, explain, inputs=("x",), shapes={"x": "*"}, backward=backward)
