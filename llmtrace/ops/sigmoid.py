"""Sigmoid: any number squeezed between 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops import reference
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Result, Working


def meaning(x: Array) -> Array:
    """`1 / (1 + exp(−x))`, element by element."""
    one = x.dtype.type(1)
    return np.asarray(one / (one + reference.exp(-x)), x.dtype)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(x.shape, x.dtype)
    _kernels.elementwise("sigmoid", (x,), out)
    return out


def explain(w: Working) -> None:
    """Sign, exponential, addition, division."""
    explain_sigmoid(w)


def explain_sigmoid(w: Working) -> Result:
    """The lines of the sigmoid of this element, also the first part of SiLU."""
    one = w.constant(1, "1")
    minus = w.negate("−x", w.input("x")[w.index])
    return w.divide("sigmoid", one, w.add("1 + exp", one, w.exp("exponential", minus)))


sigmoid = Op("sigmoid", "1 / (1 + exp(−x))", meaning, forward, explain, inputs=("x",), shapes={"x": "*"})
