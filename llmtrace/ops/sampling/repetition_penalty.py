"""Repetition penalty (Keskar et al. 2019, arXiv:1909.05858, section 4.1): tokens that have come before become less likely.

As Hugging Face has it: the scores of such tokens are divided by the penalty where they are above 0, and else multiplied by it,
once each, however often the token has come.
"""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array


def meaning(x: Array, tokens: Array, *, penalty: float) -> Array:
    """x [*, V], tokens [*, N] → [*, V]: at the places that tokens name, `x / penalty` where x > 0, `x · penalty` where x ≤ 0
    (NaN stays NaN); elsewhere x.
    """
    p = x.dtype.type(penalty)
    named = np.zeros(x.shape, bool)
    np.put_along_axis(named, tokens, True, -1)
    return np.where(named & (x > 0), x / p, np.where(named & (x <= 0), x * p, x))


def forward(x: Array, tokens: Array, *, penalty: float, empty: Empty = np.empty) -> Array:
    """`meaning`; a token that x has no score for raises IndexError."""
    expect_axes(x, 1, "x")
    expect_real(x, "x")
    if tokens.dtype != np.int64 or not tokens.dtype.isnative:
        raise TypeError(f"tokens must be int64, not {tokens.dtype}")
    if tokens.ndim != x.ndim or tokens.shape[:-1] != x.shape[:-1]:
        raise ValueError(f"tokens have shape {tokens.shape}, but x has shape {x.shape}: give a row for each row of x")
    flatten_leading(x, "x"), flatten_leading(tokens, "tokens")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < x.shape[-1]:
        wrong = tokens.max() if tokens.min() >= 0 else tokens.min()
        raise IndexError(f"there is no score of token {wrong}; x has {x.shape[-1]}")
    out = new_array(empty, x.shape, x.dtype, x, tokens)
    with _kernels.FloatState(), np.errstate(all="ignore"):
        out[...] = meaning(x, tokens, penalty=penalty)
    return out


def explain(w: Derivation) -> None:
    """Where the token has come, how its score gets worse; nothing, where it has not."""
    *row, own = w.index
    tokens, x = w["tokens"], w["x"][w.index]
    places = np.flatnonzero(tokens[(*row, slice(None))].values == own)
    if not places.size:
        w.take("out", x)
        return
    score = w.look_up("score", tokens[(*row, int(places[0]))], x)
    penalty = w.constant(w.settings["penalty"], "penalty")
    lower = w.divide("divided", score, penalty)
    w.above("out", score, w.constant(0, "0"), lower, w.multiply("multiplied", score, penalty))


repetition_penalty = Op(
    "repetition_penalty",
    N_("x / penalty if x > 0 else x · penalty, where tokens name x, else x"),
    meaning,
    forward,
    explain,
    inputs=("x", "tokens"),
    shapes={"x": "* V", "tokens": "* N < V", "penalty": "real"},
    out="* V",
    how=N_(
        "the numbers of {a}; {b} says which are of tokens that have come before: those are divided by the penalty where they"
        " are above 0, else times it"
    ),
)
