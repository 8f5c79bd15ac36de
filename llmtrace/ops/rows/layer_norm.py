"""Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450): each row standardised, then times a gain, plus a bias."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.linear.sum_positions import sum_positions
from llmtrace.ops.linear.sum_products import sum_products
from llmtrace.ops.op import ordered_sum
from llmtrace.ops.rows.normalise import explain_moments, moments, normalise


def meaning(x: Array, gain: Array, bias: Array, *, epsilon: float) -> Array:
    """`((d / √(Σ(d·d) / C + ε)) · gain) + bias` along the last axis C of x [*, C], d = x − Σx / C; gain, bias [C]."""
    d, root = moments(x, epsilon)
    return ((d / root) * gain) + bias


def backward(g: Gradient) -> None:
    """y = n·gain + bias, n = d / √(variance + ε):  dgain = Σ dy·n;  dbias = Σ dy;  dx: see below."""
    epsilon = g.settings["epsilon"]
    g.accumulate("x", layer_norm_gradient, g["x"], g.dout, g["gain"], epsilon=epsilon)
    if g.wants("gain"):
        g.accumulate("gain", sum_products, g.dout, g.do("normalised", normalise, g["x"], epsilon=epsilon))
    g.accumulate("bias", sum_positions, g.dout)


def explain(w: Derivation) -> None:
    """Mean, each squared difference, variance, root, scale, shift."""
    feature = w.index[-1]
    mean, _, root = explain_moments(w)
    own = w.subtract("own difference", w["x"][w.index], mean)
    scaled = w.multiply("scaled", w.divide("normalised", own, root), w["gain"][feature])
    w.add("out", scaled, w["bias"][feature])


layer_norm = row_op(
    "layer_norm",
    "((x − mean) / √(variance + ε)) · gain + bias",
    meaning,
    explain,
    shapes={"x": "* C", "gain": "C", "bias": "C", "epsilon": "small"},
    out="* C",
    weights=("gain", "bias"),
    backward=backward,
    how=N_("the rows of {a}, moved to mean 0 and spread 1, then times a gain, plus a bias"),
)


# ---- the gradient of x: every x is also in the mean and the variance of its row ------------------------------------


def gradient_meaning(x: Array, dout: Array, gain: Array, *, epsilon: float) -> Array:
    """`((e − a) − n·b) / root`, d and root = √(Σ(d·d) / C + ε) as in layer norm, n = d / root, e = dout · gain, a = Σe / C,
    b = Σ(e·n) / C: the gradient of x.
    """
    count = x.dtype.type(x.shape[-1])
    d, root = moments(x, epsilon)
    n, e = d / root, dout * gain
    a, b = (ordered_sum(e) / count)[..., None], (ordered_sum(e * n) / count)[..., None]
    return ((e - a) - n * b) / root


def gradient_explain(w: Derivation) -> None:
    """The element's own gradient, less what goes through the mean, less what goes through the variance."""
    *row, feature = w.index
    x, dout, gain = w["x"], w["dout"], w["gain"]
    mean, d, root = explain_moments(w)
    count = w.constant(x.shape[-1], "C")
    n = w.divide("n", d, root)
    e = w.multiply("e", dout[(*row, slice(None))], gain[slice(None)])
    a = w.divide("mean of e", w.sum("sum of e", e), count)
    b = w.divide("mean of e·n", w.dot("sum of e·n", e, n), count)
    own = w.divide("own n", w.subtract("own difference", x[w.index], mean), root)
    centred = w.subtract("less the mean", w.multiply("own e", dout[w.index], gain[feature]), a)
    w.divide("out", w.subtract("less both shares", centred, w.multiply("share in the spread", own, b)), root)


layer_norm_gradient = row_op(
    "layer_norm_gradient",
    "((e − Σe / C) − n · (Σ e·n / C)) / √(variance + ε), e = dout · gain, n = (x − mean) / √(variance + ε)",
    gradient_meaning,
    gradient_explain,
    shapes={"x": "* C", "dout": "* C", "gain": "C", "epsilon": "small"},
    out="* C",
    weights=("gain",),
    how=N_("{b} times the gain, less what would only move the row of {a} or spread it; divided by its spread"),
)
