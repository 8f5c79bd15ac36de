"""What is not known of numbers that another program has not written: how far rounding may have moved them there.

They are computed here instead, and may have other last digits than theirs. What was computed from them there may then be off by
more than its own rounding. These are bounds to first order (Higham 2002, §3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.experiments.situation import Situation

STEEPEST = 1.13
"""The largest slope of GELU; that of ReLU is 1."""


def carried(situation: Situation, ours: Array, doubts: Mapping[str, Array]) -> Array | float:
    """How far the result of a step may move where its inputs may, by the name of the operand."""
    if not doubts:
        return 0.0
    if situation.op.startswith("linear"):
        absolute = Situation(situation.op, {**situation.operands, "x": doubts["x"]}, situation.settings, {})
        x, weight, _bias = absolute.matrix()
        return absolute.laid_out(x @ np.abs(weight.astype(np.float64)))
    if situation.op == "add":
        return sum(doubts.values(), np.zeros(ours.shape))
    if situation.op in {"causal_softmax", "softmax"}:
        row = np.where(np.isfinite(doubts["x"]), doubts["x"], 0).max(-1, keepdims=True)
        most = np.minimum(np.expm1(np.minimum(2 * row, 700)), np.finfo("f4").max)  # beyond that nothing is known
        return np.asarray(most * np.abs(ours))
    if situation.op == "attention_scores":
        q, k = _both(situation, doubts, "q", "k")
        return np.asarray(_products(q, k, -1) / situation["q"].shape[-1] ** 0.5)
    if situation.op == "attention_mix":
        return _products(*_both(situation, doubts, "pattern", "v"), 0)
    if situation.op == "layer_norm":
        x = situation["x"].astype(np.float64)
        row = doubts["x"].max(-1, keepdims=True) / np.sqrt(x.var(-1, keepdims=True) + situation.settings["epsilon"])
        return np.asarray(row * (2 * np.abs(situation["gain"]) + np.abs(ours) + np.abs(situation["bias"])))
    return np.asarray(STEEPEST * sum(doubts.values(), np.zeros(ours.shape)))


Pair = tuple[Array, Array | None]
"""The sizes of some numbers, and how far they may move."""


def _both(situation: Situation, doubts: Mapping[str, Array], *names: str) -> tuple[Pair, Pair]:
    a, b = ((np.abs(situation[name].astype(np.float64)), doubts.get(name)) for name in names)
    return a, b


def _products(a: Pair, b: Pair, turned: int) -> Array:
    """|δa|·|b| + |a|·|δb|, the second matrix transposed where `turned` is not 0."""

    def side(x: Array) -> Array:
        return np.moveaxis(x, -1, -2) if turned else x

    shape = np.matmul(a[0], side(b[0]))
    moved = np.zeros(shape.shape)
    if a[1] is not None:
        moved = moved + np.matmul(a[1], side(b[0]))
    if b[1] is not None:
        moved = moved + np.matmul(a[0], side(b[1]))
    return moved
