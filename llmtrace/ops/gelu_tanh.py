"""GELU in its tanh form (Hendrycks & Gimpel 2016, arXiv:1606.08415): what GPT-2 uses."""

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
    """`(0.5·x) · (1 + tanh(√(2/π) · (x + 0.044715·((x·x)·x))))`, every constant rounded to x's type."""
    real = x.dtype.type
    inner = real(math.sqrt(2 / math.pi)) * (x + real(0.044715) * ((x * x) * x))
    return np.asarray((real(0.5) * x) * (real(1) + reference.tanh(inner)), x.dtype)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(x.shape, x.dtype)
    _kernels.elementwise("gelu_tanh", (x,), out)
    return out


def explain(w: Working) -> None:
    """Each elementary step."""
    x = w.input("x")[w.index]
    cube = w.multiply("x³", w.multiply("x²", x, x), x)
    bent = w.add("bent", x, w.multiply("0.044715 · x³", w.constant(0.044715, "0.044715"), cube))
    inner = w.multiply("inner", w.constant(math.sqrt(2 / math.pi), "√(2/π)"), bent)
    gate = w.add("1 + tanh", w.constant(1, "1"), w.tanh("tanh", inner))
    w.multiply("out", w.multiply("half", w.constant(0.5, "½"), x), gate)


gelu_tanh = Op(
    "gelu_tanh",
    "(0.5·x) · (1 + tanh(√(2/π) · (x + 0.044715·x³)))",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "*"},
)
