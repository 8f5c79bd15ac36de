"""Cross-entropy: the negative log-likelihood of the target."""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Result
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.op import ordered_sum
from llmtrace.ops.rows.softmax import explain_row
from llmtrace.ops.rows.softmax import meaning as softmax_of


def meaning(x: Array, target: Array) -> Array:
    """x [*, V], target [*] → [*]: `(m − x[target]) + log Σ exp(x − m)`, m = max x."""
    if not target.size:
        return np.zeros(target.shape, x.dtype)
    m = np.max(x, axis=-1)
    own = np.take_along_axis(x, target[..., None], axis=-1)[..., 0]
    return np.asarray((m - own) + elementary.log(ordered_sum(elementary.exp(x - m[..., None]))), x.dtype)


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


cross_entropy = row_op(
    "cross_entropy",
    "(maximum − x[target]) + log Σ exp(x − maximum)",
    meaning,
    explain,
    shapes={"x": "* V", "target": "* < V"},
    out="*",
    backward=backward,
    how=N_("the logarithm of the sum of e to the power of each score, less the score of the token that came"),
)


# ---- its gradient: the probabilities less the one-hot target -----------------------------------------------------------


def gradient_meaning(x: Array, target: Array, dout: Array) -> Array:
    """x [*, V], target, dout [*] → [*, V]: p = exp(x − m) / Σ exp(x − m), m = max x; at the target
    `(p − 1) · dout`, elsewhere `p · dout`: the gradient of x.
    """
    p = softmax_of(x)
    at_target = np.arange(x.shape[-1]) == target[..., None]
    return np.where(at_target, p - x.dtype.type(1), p) * dout[..., None]


def gradient_explain(w: Derivation) -> None:
    """The probability that softmax gives; at the target, less 1; times the gradient of the loss."""
    *row, entry = w.index
    x, target, dout = w["x"], w["target"][tuple(row)], w["dout"][tuple(row)]
    p = explain_row(w, x[(*row, slice(None))], x[w.index], "share")
    if int(target.values) == entry:
        p = w.subtract("share − 1", p, w.constant(1, "1"))
    w.multiply("out", p, dout)


cross_entropy_gradient = row_op(
    "cross_entropy_gradient",
    N_("(softmax(x) − 1 at the target) · dout"),
    gradient_meaning,
    gradient_explain,
    shapes={"x": "* V", "target": "* < V", "dout": "*"},
    out="* V",
    how=N_("the probability of each token, less 1 for the one that really follows; times the gradient of the loss"),
)
