"""SiLU (Hendrycks & Gimpel 2016, arXiv:1606.08415; also called swish): x times its own sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops.op import Array, Empty, Op
from llmtrace.ops.sigmoid import explain_sigmoid
from llmtrace.ops.sigmoid import meaning as sigmoid_of

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(x: Array) -> Array:
    """`x · (1 / (1 + exp(−x)))`, element by element."""
    return x * sigmoid_of(x)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    out = empty(x.shape, x.dtype)
    _kernels.elementwise("silu", (x,), out)
    return out


def explain(w: Working) -> None:
    """The sigmoid's lines, then one multiplication."""
    w.multiply("out", w.input("x")[w.index], explain_sigmoid(w))


silu = Op("silu", "x · (1 / (1 + exp(−x)))", meaning, forward, explain, inputs=("x",), shapes={"x": "*"})
