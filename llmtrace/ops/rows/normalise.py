"""Each row standardised, to mean 0 and variance 1: layer norm without its gain and bias."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Result
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.op import ordered_sum


def meaning(x: Array, *, epsilon: float) -> Array:
    """`d / √(Σ(d·d) / C + ε)` along the last axis C of x [*, C], d = x − Σx / C."""
    d, root = moments(x, epsilon)
    return d / root


def moments(x: Array, epsilon: float) -> tuple[Array, Array]:
    """x − mean, and √(variance + ε) beside it."""
    real = x.dtype.type
    count = real(x.shape[-1])
    d = x - (ordered_sum(x) / count)[..., None]
    return d, np.sqrt((ordered_sum(d * d) / count)[..., None] + real(epsilon))


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


normalise = row_op(
    "normalise",
    "(x − mean) / √(variance + ε)",
    meaning,
    explain,
    shapes={"x": "* C", "epsilon": "small"},
    out="* C",
    how=N_("the rows of {a}, moved to mean 0 and spread 1"),
)
