"""Softmax: any numbers become positive shares that add up to 1, the largest number getting the largest share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.op import Op, ordered_sum

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.arithmetic.lines import Operand, Result
    from llmtrace.ops.gradient import Gradient


SHAPES = {"x": "* N"}
KERNEL = row_kernel("softmax", SHAPES, out="* N")


def meaning(x: Array) -> Array:
    """Along the last axis. The maximum is taken off first, so that no exponential overflows."""
    if not x.shape[-1]:
        return x.copy()
    e = elementary.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(e / ordered_sum(e)[..., None], x.dtype)


def forward(x: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return KERNEL((x,), empty)


def backward(g: Gradient) -> None:
    """p = e / Σe:  dx = p · (dp − Σ dp·p): what a share gains, the others lose."""
    g.accumulate("x", softmax_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """Maximum, each exponential, their sum, one division."""
    *row, _own = w.index
    explain_row(w, w["x"][(*row, slice(None))], w["x"][w.index])


def explain_row(w: Derivation, row: Operand, own: Operand, name: str = "out") -> Result:
    """The share of `own` among the numbers of `row`, on the line `name`."""
    m = w.maximum("maximum", row)
    total = w.sum("sum of exponentials", w.exp("exponential", w.subtract("shifted", row, m)))
    share = w.exp("own exponential", w.subtract("own shifted", own, m))
    return w.divide(name, share, total)


softmax = Op(
    "softmax",
    "exp(x − maximum) / Σ exp(x − maximum)",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes=SHAPES,
    backward=backward,
)


# ---- its gradient ----------------------------------------------------------------------------------------------------


GRADIENT_SHAPES = {"p": "* N", "dout": "* N"}
GRADIENT_KERNEL = row_kernel("softmax_gradient", GRADIENT_SHAPES, out="* N")


def gradient_meaning(p: Array, dout: Array) -> Array:
    """From the shares p [*, N] that softmax made: p · (dout − Σ dout·p)."""
    return p * (dout - ordered_sum(dout * p)[..., None])


def gradient_forward(p: Array, dout: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return GRADIENT_KERNEL((p, dout), empty)


def gradient_explain(w: Derivation) -> None:
    """The gradient of the element's own share, less the mean that all shares ask for."""
    *row, _own = w.index
    gradient_explain_row(w, (*row, slice(None)))


def gradient_explain_row(w: Derivation, row: tuple[Any, ...]) -> None:
    """The same for the shares that stand in `row`."""
    p, dout = w["p"], w["dout"]
    inner = w.dot("weighted mean", dout[row], p[row])
    w.multiply("out", p[w.index], w.subtract("above the mean", dout[w.index], inner))


softmax_gradient = Op(
    "softmax_gradient",
    "p · (dout − Σ dout · p)",
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("p", "dout"),
    shapes=GRADIENT_SHAPES,
)
