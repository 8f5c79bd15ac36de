"""Top-p, or nucleus sampling (Holtzman et al. 2020, arXiv:1904.09751): the likeliest tokens that together reach p."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array
from llmtrace.ops.rows.softmax import meaning as softmax_of
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.sampling.top_k import ranking
from llmtrace.ops.shapes import expect_within


def meaning(x: Array, *, p: float) -> Array:
    """Along the last axis, from the largest x on, of equals the first: one stays while the probabilities (softmax) of those
    before it add up to less than p, left to right in this order; the others become −∞.
    """
    out = np.full_like(x, -np.inf)
    order, shares = ranking(x), softmax_of(x)
    total = np.zeros(x.shape[:-1], x.dtype)
    for rank in range(x.shape[-1]):
        place = order[..., rank, None]
        kept = np.where(total[..., None] >= x.dtype.type(p), x.dtype.type(-np.inf), np.take_along_axis(x, place, -1))
        np.put_along_axis(out, place, kept, -1)
        total = total + np.take_along_axis(shares, place, -1)[..., 0]
    return out


def forward(x: Array, *, p: float, empty: Empty = np.empty) -> Array:
    """`meaning`, for whole rows at once."""
    expect_axes(x, 1, "x")
    expect_real(x, "x")
    expect_within("share", p=p if x.dtype.type(p) > 0 else 0.0)  # one that float32 rounds to 0 is as good as 0
    shares = softmax.forward(flatten_leading(x, "x")).reshape(x.shape)
    out = new_array(empty, x.shape, x.dtype, x)
    out[...] = x
    with _kernels.FloatState(), np.errstate(all="ignore"):
        order = ranking(x)
        totals = np.add.accumulate(np.take_along_axis(shares, order, -1), axis=-1)
        dropped = totals[..., :-1] >= x.dtype.type(p)
    np.put_along_axis(out, order[..., 1:], np.where(dropped, -np.inf, np.take_along_axis(x, order[..., 1:], -1)), -1)
    return out


def explain(w: Derivation) -> None:
    """The shares of all that are more likely, added up, against p."""
    *row, own = w.index
    x, p = w["x"], w.constant(w.settings["p"], "p")
    whole = x[(*row, slice(None))]
    ahead = w.ahead("ahead", whole, w.count(own, "place"))
    if not ahead.values:
        w.keep("out", x[w.index], w.constant(0, "0"), p)
        return
    m = w.maximum("maximum", whole)
    total = w.sum("sum of exponentials", w.exp("exponential", w.subtract("shifted", whole, m)))
    larger = x[(*row, ranking(whole.values)[: int(ahead.values)])]
    share = w.divide("share", w.exp("exponential of a larger one", w.subtract("larger one shifted", larger, m)), total)
    w.keep("out", x[w.index], w.sum("shares of the larger ones", share), p)


top_p = Op(
    "top_p",
    N_("x if the softmax shares of all larger x add up to less than p, else −∞"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* V", "p": "share"},
    out="* V",
    how=N_("the largest of the {n} numbers of {a} whose probabilities reach p, −∞ for the others"),
)
