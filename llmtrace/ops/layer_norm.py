"""Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450): each row moved to mean 0 and spread 1, then stretched and shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace import _kernels
from llmtrace.ops.op import Array, Empty, Op, accumulate, expect_axes

if TYPE_CHECKING:
    from llmtrace.explain.working import Working


def meaning(x: Array, gain: Array, bias: Array, *, epsilon: float) -> Array:
    """Along the last axis C of x [*, C]; gain, bias [C]; ε keeps the root away from zero."""
    real = x.dtype.type
    count = real(x.shape[-1])
    mean = (accumulate(x) / count)[..., None]
    d = x - mean
    var = (accumulate(d * d) / count)[..., None]
    return ((d / np.sqrt(var + real(epsilon))) * gain) + bias


def forward(x: Array, gain: Array, bias: Array, *, epsilon: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    expect_axes(x, 1, "x")
    out = empty(x.shape, x.dtype)
    _kernels.layer_norm(x, gain, bias, epsilon, out)
    return out


def explain(w: Working) -> None:
    """Mean, each squared difference, variance, root, scale, shift."""
    *row, feature = w.index
    x = w.input("x")
    whole_row = x[(*row, slice(None))]
    count = w.constant(x.shape[-1], "C")
    mean = w.divide("mean", w.sum("sum", whole_row), count)
    d = w.subtract("difference", whole_row, mean)
    square = w.multiply("square", d, d)
    var = w.divide("variance", w.sum("sum of squares", square), count)
    root = w.root("root", w.add("variance + ε", var, w.constant(w.settings["epsilon"], "ε")))
    own = w.subtract("own difference", x[w.index], mean)
    scaled = w.multiply("scaled", w.divide("normalised", own, root), w.weight("gain")[feature])
    w.add("out", scaled, w.weight("bias")[feature])


layer_norm = Op(
    "layer_norm",
    "((x − mean) / √(variance + ε)) · gain + bias",
    meaning,
    forward,
    explain,
    inputs=("x",),
    weights=("gain", "bias"),
    shapes={"x": "* C", "gain": "C", "bias": "C", "epsilon": "small"},
)
