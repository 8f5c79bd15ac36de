"""How far rounding alone may move the result of a step that is done from the same numbers, in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.experiments.doubt import RULES, applied
from llmtrace.experiments.situation import Situation
from llmtrace.experiments.trial import EPSILON

TERMS: dict[str, Callable[[Situation], int]] = {
    **dict.fromkeys(("linear", "linear_to_heads", "linear_from_heads"), lambda s: s.matrix()[1].shape[0]),
    **dict.fromkeys(("attention_scores", "full_scores"), lambda s: s["q"].shape[-1]),
    **dict.fromkeys(("attention_mix", "full_mix"), lambda s: s["v"].shape[-2]),
    "add": lambda s: 1,
}
"""Of the ops that are sums, how many terms a number has."""
FEW = 10
"""So many roundings a number of the other ops may have, beside those of the sums over its row."""
LIKELY = 8.0
"""Errors of many roundings cancel: those of n are within LIKELY·√n of one but with a probability of 2n·exp(−LIKELY²/2), below
1e-8 for all n up to 100,000 (Higham & Mary 2019, theorem 2.4), where they do not go all one way. How far they do here is known.
"""


def unit(situation: Situation, ours: Array) -> Array:
    """For each number, n roundings of the largest sum that its terms can make (Higham 2002, §3.1); of long sums, the likely."""
    if situation.op == "embedding":
        return np.zeros(ours.shape)
    one = EPSILON / 2
    if situation.op not in TERMS:
        finite = np.abs(np.where(np.isfinite(ours), ours, 0)).astype(np.float64)
        return np.asarray(FEW * one * (finite.max(-1, keepdims=True) if ours.ndim else finite) + own(situation, ours))
    rule, terms = RULES[situation.op], TERMS[situation.op](situation)
    large = applied(rule, situation, {}, sizes=True).value
    most = (terms + 2) * one * large
    if LIKELY * terms**0.5 >= terms:
        return np.asarray(most)
    done = _in_each_row(applied(rule, situation, {}).value, ours)
    return np.minimum(most, LIKELY * terms**0.5 * one * large + done)


def own(situation: Situation, ours: Array) -> Array:
    """What rounding has done here, at most in each row: over long rows its sums lose more than a few roundings."""
    wide = {
        name: None if x is None else x.astype(np.float64) if x.dtype.kind == "f" else x
        for name, x in situation.operands.items()
    }
    with np.errstate(all="ignore"):
        return _in_each_row(replace(situation, operands=wide).done(), ours)


def _in_each_row(exact: Array, ours: Array) -> Array:
    with np.errstate(all="ignore"):
        far = np.abs(exact - ours)
    far = np.where(np.isfinite(far), far, 0.0)
    return np.asarray(far.max(-1, keepdims=True) if far.ndim else far)
