"""GELU in its exact form (Hendrycks & Gimpel 2016, arXiv:1606.08415), by the error function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops import reference
from llmtrace.ops.op import Array, Empty, Op

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(x: Array) -> Array:
    """`(0.5·x) · (1 + erf(x / √2))`, √2 rounded to x's type."""
    real = x.dtype.type
    return np.asarray((real(0.5) * x) * (real(1) + reference.erf(x / real(math.sqrt(2)))), x.dtype)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(x.shape, x.dtype)
    _kernels.elementwise("gelu_erf", (x,), out)
    return out


def explain(w: Working) -> None:
    """Each elementary step."""
    x = w.input("x")[w.index]
    gate = w.add("1 + erf", w.constant(1, "1"), w.erf("erf", w.divide("x/√2", x, w.constant(math.sqrt(2), "√2"))))
    w.multiply("out", w.multiply("half", w.constant(0.5, "½"), x), gate)


gelu_erf = Op("gelu_erf", "(0.5·x) · (1 + erf(x / √2))", meaning, forward, explain, inputs=("x",), shapes={"x": "*"})
