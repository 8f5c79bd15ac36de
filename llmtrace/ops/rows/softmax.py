"""Softmax: any numbers become probabilities, which add up to 1."""

from typing import Any

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Operand, Result
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import ordered_sum


def meaning(x: Array) -> Array:
    """`e / Σe` along the last axis, e = exp(x − m), m = max x, so that no exponential overflows."""
    if not x.shape[-1]:
        return x.copy()
    e = elementary.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(e / ordered_sum(e)[..., None], x.dtype)


def backward(g: Gradient) -> None:
    """p = e / Σe:  dx = p · (dp − Σ dp·p): what one probability gains, the others lose."""
    g.accumulate("x", softmax_gradient, g.out, g.dout)


def explain(w: Derivation) -> None:
    """Maximum, each exponential, their sum, one division."""
    *row, _own = w.index
    explain_row(w, w["x"][(*row, slice(None))], w["x"][w.index])


def explain_row(w: Derivation, row: Operand, own: Operand, name: str = "out") -> Result:
    """The probability of `own` among the numbers of `row`, on the line `name`."""
    m = w.maximum("maximum", row)
    total = w.sum("sum of exponentials", w.exp("exponential", w.subtract("shifted", row, m)))
    share = w.exp("own exponential", w.subtract("own shifted", own, m))
    return w.divide(name, share, total)


softmax = row_op(
    "softmax",
    "exp(x − maximum) / Σ exp(x − maximum)",
    meaning,
    explain,
    shapes={"x": "* N"},
    out="* N",
    backward=backward,
    how=N_("e to the power of each number of {a}, divided by the sum of these"),
)


# ---- its gradient ----------------------------------------------------------------------------------------------------


def gradient_meaning(p: Array, dout: Array) -> Array:
    """`p · (dout − Σ dout·p)` along the last axis, p what softmax gave: the gradient of x."""
    return p * (dout - ordered_sum(dout * p)[..., None])


def gradient_explain(w: Derivation) -> None:
    """The gradient of the element's own probability, less the mean gradient that they weigh."""
    *row, _own = w.index
    gradient_explain_row(w, (*row, slice(None)))


def gradient_explain_row(w: Derivation, row: tuple[Any, ...]) -> None:
    """The lines of p · (dout − Σ dout·p) over the probabilities that stand in `row`."""
    p, dout = w["p"], w["dout"]
    inner = w.dot("weighted mean", dout[row], p[row])
    w.multiply("out", p[w.index], w.subtract("above the mean", dout[w.index], inner))


softmax_gradient = row_op(
    "softmax_gradient",
    "p · (dout − Σ dout · p)",
    gradient_meaning,
    gradient_explain,
    shapes={"p": "* N", "dout": "* N"},
    out="* N",
)
