"""Dropout (Srivastava et al. 2014, JMLR 15:1929): in training, numbers are set to 0 at random, and the others scaled up."""

import numpy as np

from llmtrace import rng
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.part import whole


def meaning(x: Array, *, rate: float, seed: int, first: int = 0) -> Array:
    """`0 if u < rate else x · (1/(1 − rate))`; element i (counted in the order of memory) has u =
    rng.uniform(seed, first + i). 1/(1 − rate) is worked out in float64, then rounded to x's type, as rate is.
    """
    real = x.dtype.type
    places = np.arange(x.size, dtype=np.uint64) + np.uint64(first)
    u = rng.uniform(seed, places).astype(x.dtype).reshape(x.shape)
    return np.where(u < real(rate), real(0), x * real(1 / (1 - rate)))


def backward(g: Gradient) -> None:
    """dx = dropout(dout): the same mask and the same factor (out = 0 or x · (1/(1 − rate)))."""
    g.accumulate("x", dropout, g.dout, **g.settings)


def explain(w: Derivation) -> None:
    """A random number, compared with the rate."""
    rate, place = w.settings["rate"], w.settings.get("first", 0)
    flat = 0
    for index, size in zip(w.index, w.shape, strict=True):
        flat = flat * size + index
    u = float(rng.uniform(w.settings["seed"], [place + flat])[0])
    kept = w.multiply("kept", w["x"][w.index], w.constant(1 / (1 - rate), "1/(1 − rate)"))
    w.above("out", w.constant(rate, "rate"), w.constant(u, "u"), w.constant(0, "0"), kept)


dropout = row_op(
    "dropout",
    N_("0 if u < rate else x · (1/(1 − rate))"),
    meaning,
    explain,
    shapes={"x": "*", "rate": "rate", "seed": "whole", "first": "whole"},
    out="*",
    part=whole,
    constants=lambda rate, seed, first: (rate, 1 / (1 - rate), seed, first),
    backward=backward,
    how=N_("the numbers of {a}, some of them 0 at random, the others a little larger instead"),
)
