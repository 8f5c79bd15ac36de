"""Softmax: any numbers become positive shares that add up to 1, the largest number getting the largest share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops import reference
from llmtrace.ops.op import Array, Empty, Op, accumulate, expect_axes

if TYPE_CHECKING:
    from llmtrace.explain.working import Operand, Working


def meaning(x: Array) -> Array:
    """Along the last axis. The maximum is taken off first, so that no exponential overflows."""
    if not x.shape[-1]:
        return x.copy()
    e = reference.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(e / accumulate(e)[..., None], x.dtype)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 1, "x")
    out = empty(x.shape, x.dtype)
    _kernels.softmax(x, out)
    return out


def explain(w: Working) -> None:
    """Maximum, each exponential, their sum, one division."""
    *row, _own = w.index
    explain_row(w, w.input("x")[(*row, slice(None))], w.input("x")[w.index])


def explain_row(w: Working, row: Operand, own: Operand) -> None:
    """The share of `own` among the numbers of `row`."""
    m = w.maximum("maximum", row)
    total = w.sum("sum of exponentials", w.exp("exponential", w.subtract("shifted", row, m)))
    share = w.exp("own exponential", w.subtract("own shifted", own, m))
    w.divide("out", share, total)


softmax = Op(
    "softmax", "exp(x − maximum) / Σ exp(x − maximum)", meaning, forward, explain, inputs=("x",), shapes={"x": "* N"}
)
