"""Each row moved to mean 0 and spread 1: layer norm without its gain and bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.op import Op, ordered_sum

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation
    from llmtrace.arithmetic.lines import Result


SHAPES = {"x": "* C", "epsilon": "small"}
KERNEL = row_kernel("normalise", SHAPES, out="* C")


def meaning(x: Array, *, epsilon: float) -> Array:
    """Along the last axis C of x [*, C]: d / √(Σ(d·d) / C + ε) with d = x − mean."""
    d, root = moments(x, epsilon)
    return d / root


def moments(x: Array, epsilon: float) -> tuple[Array, Array]:
    """x − mean, and √(variance + ε) beside it."""
    real = x.dtype.type
    count = real(x.shape[-1])
    d = x - (ordered_sum(x) / count)[..., None]
    return d, np.sqrt((ordered_sum(d * d) / count)[..., None] + real(epsilon))


def forward(x: Array, *, epsilon: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return KERNEL((x,), empty, epsilon)


def explain(w: Derivation) -> None:
    """Mean, each squared difference, variance, root, one division."""
    mean, _, root = explain_moments(w)
    w.divide("out", w.subtract("own difference", w["x"][w.index], mean), root)


def explain_moments(w: Derivation) -> tuple[Result, Result, Result]:
    """Of the row of input x: its mean, its differences to that, and √(variance + ε)."""
    *row, _own = w.index
    x = w["x"]
    whole_row = x[(*row, slice(None))]
    count = w.constant(x.shape[-1], "C")
    mean = w.divide("mean", w.sum("sum", whole_row), count)
    d = w.subtract("difference", whole_row, mean)
    square = w.multiply("square", d, d)
    var = w.divide("variance", w.sum("sum of squares", square), count)
    return mean, d, w.root("root", w.add("variance + ε", var, w.constant(w.settings["epsilon"], "ε")))


normalise = Op(
    "normalise",
    "(x − mean) / √(variance + ε)",
    meaning,
    forward,
    explain,
    inputs=("x",),
    shapes=SHAPES,
)
