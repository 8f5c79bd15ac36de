"""Causes on trial: which one gives the numbers of another program, and how well."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from llmtrace.arithmetic.bits import other_bits
from llmtrace.arithmetic.types import Array
from llmtrace.experiments.casts import STEPS
from llmtrace.experiments.causes import BY_NUMBER
from llmtrace.experiments.situation import Cause, Situation
from llmtrace.frozen import frozen
from llmtrace.i18n import _

EPSILON = float(np.finfo(np.float32).eps)
ALMOST = 0.98
"""Where a result has few digits, so many of the numbers must have the very bits, and the others be neighbours."""
ROWS, COLUMNS = 2, 32
"""So much of a large layer is tried first."""


@frozen
class Trial:
    """A step whose result is `theirs` and not `ours`; `unit` is how far rounding may move each number.

    exactly: whether a cause must give their numbers to the bit, or only nothing but rounding may be left.
    """

    situation: Situation
    ours: Array
    theirs: Array
    unit: Array
    exactly: bool

    def only(self, causes: Mapping[str, Cause]) -> tuple[str, int]:
        """The cause that gives their numbers while no other one does, and how many to the bit; "" where there is none."""
        fitting = [
            (agree, title) for title, cause in causes.items() if (agree := self._agree(title, cause)) is not None
        ]
        return (_(fitting[0][1]), fitting[0][0]) if len(fitting) == 1 else ("", 0)

    def best(self, causes: Mapping[str, Cause]) -> tuple[str, int]:
        """The one cause that gives their numbers, and how many to the bit; "" where none does, or several do equally well."""
        fitting = [
            (agree, title) for title, cause in causes.items() if (agree := self._agree(title, cause)) is not None
        ]
        fitting.sort(reverse=True)
        if not fitting:
            return "", 0
        agree, title = fitting[0]
        equal = [other for count, other in fitting if count == agree]
        if len(equal) > 1:
            return _("{a}, or {b}: they can't be told apart here", a=_(equal[0]), b=_(equal[1])), agree
        return _(title), agree

    def _agree(self, title: str, cause: Cause) -> int | None:
        """How many numbers a cause gives to the bit; None where it does not fit."""
        if title in BY_NUMBER and self._few is not None:
            few, rows, columns = self._few
            part = self._flat(self.theirs)[np.ix_(rows, columns)]
            if not self._near(_made(cause, few), part, self._flat(self._may(title))[np.ix_(rows, columns)]):
                return None
        made = _made(cause, self.situation)
        if made is None or made.shape != self.theirs.shape:
            return None
        made = np.ascontiguousarray(made, self.theirs.dtype)
        agree = self.theirs.size - int(np.count_nonzero(other_bits(made, self.theirs)))
        enough = title not in STEPS or agree >= ALMOST * self.theirs.size
        fits = agree == self.theirs.size or (enough and self._near(made, self.theirs, self._may(title)))
        return agree if fits else None

    def _near(self, made: Array | None, theirs: Array, may: Array) -> bool:
        if made is None or made.shape != theirs.shape:
            return False
        made = np.ascontiguousarray(made, theirs.dtype)
        return not other_bits(made, theirs).any() if self.exactly else distance(made, theirs, may) <= 1

    def _may(self, title: str) -> Array:
        """How far from what a cause gives each of their numbers may be."""
        large = np.abs(np.where(np.isfinite(self.theirs), self.theirs, 0)).astype(np.float64)
        if title in STEPS:
            return STEPS[title] * large
        row = large.max(-1, keepdims=True) if self.theirs.ndim else large
        return np.maximum(self.unit, 4 * EPSILON * row)

    @cached_property
    def _few(self) -> tuple[Situation, Array, Array] | None:
        """Of a large layer, a few rows and columns where most numbers differ, and which; None of what is not large."""
        if not self.situation.op.startswith("linear") or self.ours.shape != self.theirs.shape:
            return None
        differ = other_bits(self._flat(self.ours), self._flat(self.theirs))
        if differ.ndim != 2 or differ.shape[1] <= COLUMNS:
            return None
        rows, columns = (
            np.sort(np.argsort(-differ.sum(axis), kind="stable")[:count]) for axis, count in ((1, ROWS), (0, COLUMNS))
        )
        return self.situation.part(rows, columns), rows, columns

    def _flat(self, result: Array) -> Array:
        return self.situation.flat(result)


def _made(cause: Cause, situation: Situation) -> Array | None:
    with np.errstate(all="ignore"):
        return cause(situation)


def distance(ours: Array, theirs: Array, unit: Array) -> float:
    """The largest distance as a multiple of what rounding may do; ∞ where one is finite and the other is not."""
    if ours.dtype.kind != "f":  # nothing is nearly another token
        return np.inf if ((ours != theirs) & np.isfinite(unit)).any() else 0.0
    with np.errstate(all="ignore"):
        far = np.abs(ours.astype(np.float64) - theirs.astype(np.float64)) / np.maximum(unit, 1e-38)
    same = ~other_bits(ours, theirs) | ((ours == theirs) & np.isfinite(ours))
    return float(np.where(same, 0.0, np.where(np.isnan(far), np.inf, far)).max(initial=0.0))
