"""Rotary positions (Su et al. 2021, arXiv:2104.09864): every pair of a row's numbers turned by an angle of its position."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.gradient import Gradient


def meaning(x: Array, cosine: Array, sine: Array, *, interleaved: bool) -> Array:
    """x [*, H, T, 2·D], cosine, sine [*, T, D]: the pair (a, b) becomes `(a·cos − b·sin, b·cos + a·sin)`.

    Pair i is the numbers 2i and 2i + 1 of a row where interleaved, else i and i + D.
    """
    first, second = halves(x.shape[-1], interleaved)
    a, b = x[..., first], x[..., second]
    cos, sin = cosine[..., None, :, :], sine[..., None, :, :]
    out = np.empty_like(x)
    out[..., first] = a * cos - b * sin
    out[..., second] = b * cos + a * sin
    return out


def halves(width: int, interleaved: bool) -> tuple[slice, slice]:
    """Where the first numbers of all pairs stand in a row, and where the second ones."""
    return (slice(0, None, 2), slice(1, None, 2)) if interleaved else (slice(width // 2), slice(width // 2, None))


def backward(g: Gradient) -> None:
    """A turn: its gradient is the turn by the opposite angle, whose sine is the negative one."""
    if g.wants("x"):
        opposite = g.do("sine", scale, g["sine"], factor=-1.0)
        g.accumulate("x", rotate, g.dout, g["cosine"], opposite, interleaved=g.settings["interleaved"])


def explain(w: Derivation) -> None:
    """Two products and their difference for the first number of a pair, or their sum for the second one."""
    *leading, _head, position, feature = w.index
    row, pairs = w.index[:-1], w["cosine"].shape[-1]
    pair, second = divmod(feature, 2) if w.settings["interleaved"] else (feature % pairs, feature // pairs)
    places = (2 * pair, 2 * pair + 1) if w.settings["interleaved"] else (pair, pair + pairs)
    a, b = (w["x"][(*row, place)] for place in places)
    cos, sin = (w[name][(*leading, position, pair)] for name in ("cosine", "sine"))
    if second:
        w.add("out", w.multiply("b·cos", b, cos), w.multiply("a·sin", a, sin))
    else:
        w.subtract("out", w.multiply("a·cos", a, cos), w.multiply("b·sin", b, sin))


def axes(x: Axes, cosine: Axes, sine: Axes) -> Axes:
    """Those of x."""
    return x


rotate = row_op(
    "rotate",
    "(a·cos − b·sin, b·cos + a·sin)",
    meaning,
    explain,
    shapes={"x": "* H T D+D", "cosine": "* T D", "sine": "* T D", "interleaved": "flag"},
    out="* H T D+D",
    along=("T",),
    axes=axes,
    backward=backward,
    fixed=("cosine", "sine"),
    how=N_("the numbers of {a} in pairs, each pair turned by the angle of its position, whose cosine is in {b}"),
)
