"""Cross-entropy: how surprised the model is by the token that really came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.op import Op, ordered_sum
from llmtrace.ops.rows.softmax import explain_row
from llmtrace.ops.rows.softmax import meaning as softmax_of

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.arithmetic.lines import Result
    from llmtrace.ops.gradient import Gradient


SHAPES = {"x": "* V", "target": "* < V"}
KERNEL = row_kernel("cross_entropy", SHAPES, out="*")


def meaning(x: Array, target: Array) -> Array:
    """x [*, V], target [*] → [*]: (m − x[target]) + log Σ exp(x − m), m the largest of the row."""
    if not target.size:
        return np.zeros(target.shape, x.dtype)
    m = np.max(x, axis=-1)
    own = np.take_along_axis(x, target[..., None], axis=-1)[..., 0]
    return np.asarray((m - own) + elementary.log(ordered_sum(elementary.exp(x - m[..., None]))), x.dtype)


def forward(x: Array, target: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled; a target that is no entry of the row raises IndexError."""
    return KERNEL((x, target), empty)


def backward(g: Gradient) -> None:
    """loss = (m − x[target]) + log Σ exp(x − m):  dx = softmax(x)·dout, less dout at the target."""
    g.accumulate("x", cross_entropy_gradient, g["x"], g["target"], g.dout)


def explain(w: Derivation) -> None:
    """Maximum, how far the score of the target is below it, each exponential, their sum, its logarithm."""
    own, m, total = explain_parts(w)
    distance = w.subtract("distance to the maximum", m, own)
    w.add("out", distance, w.log("logarithm of the sum", total))


def explain_parts(w: Derivation) -> tuple[Result, Result, Result]:
    """The score of the target, the maximum m of its row, and Σ exp(x − m)."""
    x, target = w["x"], w["target"][w.index]
    row = x[(*w.index, slice(None))]
    m = w.maximum("maximum", row)
    total = w.sum("sum of exponentials", w.exp("exponential", w.subtract("shifted", row, m)))
    own = w.look_up("score of the target", target, x[(*w.index, int(target.values))])
    return own, m, total


def axes(x: Axes, target: Axes) -> Axes:
    """One number for every row."""
    return x[:-1]


cross_entropy = Op(
    "cross_entropy",
    "(maximum − x[target]) + log Σ exp(x − maximum)",
    meaning,
    forward,
    explain,
    inputs=("x", "target"),
    shapes=SHAPES,
    axes=axes,
    backward=backward,
)


# ---- its gradient: what the model expected, less what came -----------------------------------------------------------


GRADIENT_SHAPES = {"x": "* V", "target": "* < V", "dout": "*"}
GRADIENT_KERNEL = row_kernel("cross_entropy_gradient", GRADIENT_SHAPES, out="* V")


def gradient_meaning(x: Array, target: Array, dout: Array) -> Array:
    """x [*, V], target, dout [*] → [*, V]: p = exp(x − m) / Σ; at the target (p − 1) · dout, elsewhere p · dout."""
    p = softmax_of(x)
    at_target = np.arange(x.shape[-1]) == target[..., None]
    return np.where(at_target, p - x.dtype.type(1), p) * dout[..., None]


def gradient_forward(x: Array, target: Array, dout: Array, *, empty: Empty = np.empty) -> Array:
    """The same, compiled; a target that is no entry of the row raises IndexError."""
    return GRADIENT_KERNEL((x, target, dout), empty)


def gradient_explain(w: Derivation) -> None:
    """The share that softmax gives; at the target, less 1; times the gradient of the loss."""
    *row, entry = w.index
    x, target, dout = w["x"], w["target"][tuple(row)], w["dout"][tuple(row)]
    p = explain_row(w, x[(*row, slice(None))], x[w.index], "share")
    if int(target.values) == entry:
        p = w.subtract("share − 1", p, w.constant(1, "1"))
    w.multiply("out", p, dout)


def gradient_axes(x: Axes, target: Axes, dout: Axes) -> Axes:
    """Those of x."""
    return x


cross_entropy_gradient = Op(
    "cross_entropy_gradient",
    N_("(softmax(x) − 1 at the target) · dout"),
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("x", "target", "dout"),
    shapes=GRADIENT_SHAPES,
    axes=gradient_axes,
)
