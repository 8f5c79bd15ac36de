"""Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450): each row moved to mean 0 and spread 1, then stretched and shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.linear.sum_positions import sum_positions
from llmtrace.ops.linear.sum_products import sum_products
from llmtrace.ops.op import Op, ordered_sum
from llmtrace.ops.rows.normalise import explain_moments, moments, normalise

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.ops.gradient import Gradient


SHAPES = {"x": "* C", "gain": "C", "bias": "C", "epsilon": "small"}
KERNEL = row_kernel("layer_norm", SHAPES, out="* C")


def meaning(x: Array, gain: Array, bias: Array, *, epsilon: float) -> Array:
    """Along the last axis C of x [*, C]; gain, bias [C]; ε keeps the root away from zero."""
    d, root = moments(x, epsilon)
    return ((d / root) * gain) + bias


def forward(x: Array, gain: Array, bias: Array, *, epsilon: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return KERNEL((x, gain, bias), empty, epsilon)


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


layer_norm = Op(
    "layer_norm",
    "((x − mean) / √(variance + ε)) · gain + bias",
    meaning,
    forward,
    explain,
    inputs=("x",),
    weights=("gain", "bias"),
    shapes=SHAPES,
    backward=backward,
)


# ---- the gradient of x: every x has also moved the mean and the spread of its row ------------------------------------


GRADIENT_SHAPES = {"x": "* C", "dout": "* C", "gain": "C", "epsilon": "small"}
GRADIENT_KERNEL = row_kernel("layer_norm_gradient", GRADIENT_SHAPES, out="* C")


def gradient_meaning(x: Array, dout: Array, gain: Array, *, epsilon: float) -> Array:
    """With n = d / root as in layer norm, e = dout · gain, a = Σe / C, b = Σ(e·n) / C: ((e − a) − n·b) / root."""
    count = x.dtype.type(x.shape[-1])
    d, root = moments(x, epsilon)
    n, e = d / root, dout * gain
    a, b = (ordered_sum(e) / count)[..., None], (ordered_sum(e * n) / count)[..., None]
    return ((e - a) - n * b) / root


def gradient_forward(x: Array, dout: Array, gain: Array, *, epsilon: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return GRADIENT_KERNEL((x, dout, gain), empty, epsilon)


def gradient_explain(w: Derivation) -> None:
    """What the element's own gradient asks for, less its share in the mean, less its share in the spread."""
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


def gradient_axes(x: Axes, dout: Axes, gain: Axes) -> Axes:
    """Those of x."""
    return x


layer_norm_gradient = Op(
    "layer_norm_gradient",
    "((e − Σe / C) − n · (Σ e·n / C)) / √(variance + ε), e = dout · gain, n = (x − mean) / √(variance + ε)",
    gradient_meaning,
    gradient_forward,
    gradient_explain,
    inputs=("x", "dout"),
    weights=("gain",),
    shapes=GRADIENT_SHAPES,
    axes=gradient_axes,
)
