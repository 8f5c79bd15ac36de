"""Top-k (Fan, Lewis & Dauphin 2018, arXiv:1805.04833): only the k largest scores stay in play."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array
from llmtrace.ops.shapes import expect_within


def ranking(x: Array) -> Array:
    """The places along the last axis from the largest number on: of equals the first comes first, a NaN before all."""
    return np.lexsort((-x, ~np.isnan(x)), axis=-1)


def meaning(x: Array, *, k: int) -> Array:
    """Along the last axis: the k largest stay, of equals the first, a NaN as the largest; the others become −∞."""
    out = np.full_like(x, -np.inf)
    kept = ranking(x)[..., :k]
    np.put_along_axis(out, kept, np.take_along_axis(x, kept, -1), -1)
    return out


def forward(x: Array, *, k: int, empty: Empty = np.empty) -> Array:
    """`meaning` without sorting: only the k-th largest number is looked for."""
    expect_axes(x, 1, "x")
    expect_real(x, "x")
    flatten_leading(x, "x")
    expect_within("count", k=k)
    out = new_array(empty, x.shape, x.dtype, x)
    out[...] = x
    if k < x.shape[-1]:
        with _kernels.FloatState():  # in which subnormal numbers differ from 0, whatever others have set
            least = np.partition(x, -k, axis=-1)[..., -k, None]  # NumPy, too, takes a NaN for the largest
            above = (x > least) | (np.isnan(x) & ~np.isnan(least))
            equal = (x == least) | (np.isnan(x) & np.isnan(least))
        room = k - np.count_nonzero(above, axis=-1, keepdims=True)
        out[~above & ~(equal & (np.cumsum(equal, axis=-1) <= room))] = -np.inf
    return out


def explain(w: Derivation) -> None:
    """How many numbers stand before this one in the order from the largest on, and whether that is fewer than k."""
    *row, own = w.index
    x = w["x"]
    ahead = w.ahead("ahead", x[(*row, slice(None))], w.count(own, "place"))
    w.keep("out", x[w.index], ahead, w.count(w.settings["k"], "k"))


top_k = Op(
    "top_k",
    N_("x if fewer than k numbers are larger, else −∞"),
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes={"x": "* V", "k": "count"},
    out="* V",
    how=N_("the largest of the {n} numbers of {a}, −∞ for the others"),
)
