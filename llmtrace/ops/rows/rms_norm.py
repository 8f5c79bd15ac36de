"""RMS norm (Zhang & Sennrich 2019, arXiv:1910.07467): each row divided by its root mean square, then times a gain."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Result
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.linear.sum_products import sum_products
from llmtrace.ops.op import ordered_sum


def meaning(x: Array, gain: Array, *, epsilon: float) -> Array:
    """`(x / √(Σ(x·x) / C + ε)) · gain` along the last axis C of x [*, C]; gain [C]."""
    return (x / root_of(x, epsilon)) * gain


def root_of(x: Array, epsilon: float) -> Array:
    """√(Σ(x·x) / C + ε) of each row, [*, 1]."""
    real = x.dtype.type
    return np.asarray(np.sqrt((ordered_sum(x * x) / real(x.shape[-1]))[..., None] + real(epsilon)))


def backward(g: Gradient) -> None:
    """y = n·gain, n = x / √(mean of squares + ε):  dgain = Σ dy·n;  dx: see below."""
    epsilon = g.settings["epsilon"]
    g.accumulate("x", rms_norm_gradient, g["x"], g.dout, g["gain"], epsilon=epsilon)
    if g.wants("gain"):
        g.accumulate("gain", sum_products, g.dout, g.do("scaled", rms_scaled, g["x"], epsilon=epsilon))


def explain(w: Derivation) -> None:
    """Each square, their mean, root, one division, one product."""
    root = explain_root(w)
    w.multiply("out", w.divide("scaled", w["x"][w.index], root), w["gain"][w.index[-1]])


def explain_root(w: Derivation) -> Result:
    """√(mean of squares + ε) of the row of input x."""
    *row, _own = w.index
    whole_row = w["x"][(*row, slice(None))]
    total = w.dot("sum of squares", whole_row, whole_row)
    mean = w.divide("mean of squares", total, w.constant(w["x"].shape[-1], "C"))
    return w.root("root mean square", w.add("mean of squares + ε", mean, w.constant(w.settings["epsilon"], "ε")))


rms_norm = row_op(
    "rms_norm",
    "(x / √(Σ x² / C + ε)) · gain",
    meaning,
    explain,
    shapes={"x": "* C", "gain": "C", "epsilon": "small"},
    out="* C",
    weights=("gain",),
    backward=backward,
    how=N_("the rows of {a}, brought to spread 1 without being moved, then times a gain"),
)


# ---- without the gain, and the gradient of x: every x is also in the root of its row --------------------------------


def scaled_meaning(x: Array, *, epsilon: float) -> Array:
    """`x / √(Σ(x·x) / C + ε)` along the last axis C of x [*, C]."""
    return x / root_of(x, epsilon)


def scaled_explain(w: Derivation) -> None:
    """The root, one division."""
    root = explain_root(w)
    w.divide("out", w["x"][w.index], root)


rms_scaled = row_op(
    "rms_scaled",
    "x / √(Σ x² / C + ε)",
    scaled_meaning,
    scaled_explain,
    shapes={"x": "* C", "epsilon": "small"},
    out="* C",
    how=N_("the rows of {a}, brought to spread 1 without being moved"),
)


def gradient_meaning(x: Array, dout: Array, gain: Array, *, epsilon: float) -> Array:
    """`(e − n·b) / root`, root = √(Σ(x·x) / C + ε), n = x / root, e = dout · gain, b = Σ(e·n) / C: the gradient of x."""
    root = root_of(x, epsilon)
    n, e = x / root, dout * gain
    b = (ordered_sum(e * n) / x.dtype.type(x.shape[-1]))[..., None]
    return (e - n * b) / root


def gradient_explain(w: Derivation) -> None:
    """The element's own gradient, less what goes through the root of its row."""
    *row, feature = w.index
    x, dout, gain = w["x"], w["dout"], w["gain"]
    root = explain_root(w)
    n = w.divide("n", x[(*row, slice(None))], root)
    e = w.multiply("e", dout[(*row, slice(None))], gain[slice(None)])
    b = w.divide("mean of e·n", w.dot("sum of e·n", e, n), w.constant(x.shape[-1], "C"))
    share = w.multiply("share in the spread", w.divide("own n", x[w.index], root), b)
    own = w.multiply("own e", dout[w.index], gain[feature])
    w.divide("out", w.subtract("less its share", own, share), root)


rms_norm_gradient = row_op(
    "rms_norm_gradient",
    "(e − n · (Σ e·n / C)) / √(Σ x² / C + ε), e = dout · gain, n = x / √(Σ x² / C + ε)",
    gradient_meaning,
    gradient_explain,
    shapes={"x": "* C", "dout": "* C", "gain": "C", "epsilon": "small"},
    out="* C",
    weights=("gain",),
    how=N_("{b} times the gain, less what would only spread the row of {a}; divided by its spread"),
)
