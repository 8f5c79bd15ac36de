"""How far a calculation in a short type may end from the true value: running error bounds, worked out beside the value.

Every number is a pair: its value in float64, and a bound on |computed − value|, where "computed" is what the same
formula gives when every operation rounds to the short type. An operation does two things to the bound (Wilkinson,
Rounding Errors in Algebraic Processes, 1963; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002,
sections 2.2, 3.3 and 4.2):

* it *propagates* the bounds of its operands, here always to all orders, never only the first: for a product
  |â·b̂ − a·b| ≤ |a|·eb + |b|·ea + ea·eb;
* it *rounds*: |fl(t) − t| ≤ u·|t| + η with the unit u = 2^-24 (2^-53 for float64) and η, half the least subnormal,
  for results that underflow; and t is at most |value| + what was propagated.

The order of a sum does not enter, so a function that adds in another order keeps within the bound as well.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array

__all__ = ["Close", "Rounding", "Uncertain", "last"]


class Close(NamedTuple):
    """A value in float64 and how far the computed one may be from it."""

    value: Array
    error: Array


class Rounding:
    """Arithmetic on `Close` numbers as if every result were rounded to `dtype`."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        info = np.finfo(dtype)
        self.real = np.dtype(dtype)
        self.largest = float(info.max)
        self.unit = float(info.eps) / 2
        self.least = float(info.smallest_subnormal) / 2

    def exact(self, x: Array) -> Close:
        """A number that the short type holds as it is: an input, a count."""
        x = np.asarray(x, np.float64)
        return Close(x, np.zeros_like(x))

    def constant(self, x: float) -> Close:
        """A number of the formula, rounded once; exact where the short type has it."""
        value = np.asarray(float(x))
        return Close(value, np.abs(value - value.astype(self.real)))

    def rounded(self, value: Array, propagated: Array) -> Close:
        """u·|t| + η, with |t| ≤ |value| + propagated; what the short type can't hold is ±∞. Neither that nor NaN is rounded."""
        value = np.where(np.abs(value) >= self.largest, np.copysign(np.inf, value), value)
        size = np.where(np.isfinite(value), np.abs(value) + propagated, 0)
        error = propagated + self.unit * size + self.least * (size > 0)
        return Close(value, np.where(np.isinf(value), 0, error))

    def add(self, a: Close, b: Close) -> Close:
        """Propagates: |(â + b̂) − (a + b)| ≤ ea + eb."""
        return self.rounded(a.value + b.value, a.error + b.error)

    def subtract(self, a: Close, b: Close) -> Close:
        """As for a sum."""
        return self.rounded(a.value - b.value, a.error + b.error)

    def multiply(self, a: Close, b: Close) -> Close:
        """Propagates: |â·b̂ − a·b| ≤ |a|·eb + |b|·ea + ea·eb."""
        carried = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error
        return self.rounded(a.value * b.value, carried)

    def divide(self, a: Close, b: Close) -> Close:
        """Propagates: (ea + |a/b|·eb) / (|b| − eb); where b̂ may be 0, nothing is known but for exact a, b."""
        quotient = a.value / b.value
        room = np.abs(b.value) - b.error
        carried = np.where(room > 0, (a.error + np.abs(quotient) * b.error) / np.where(room > 0, room, 1), np.inf)
        return self.rounded(quotient, np.where((a.error == 0) & (b.error == 0), 0, carried))

    def root(self, a: Close) -> Close:
        """Propagates: |√â − √a| = |â − a| / (√â + √a) ≤ ea / √a, and never more than √ea."""
        value = np.sqrt(a.value)
        return self.rounded(value, np.minimum(a.error / np.where(value > 0, value, 1e-300), np.sqrt(a.error)))

    def exp(self, a: Close) -> Close:
        """Propagates: |e^â − e^a| ≤ e^a·(e^ea − 1)."""
        value = np.exp(a.value)
        return self.rounded(value, value * np.expm1(a.error))

    def log(self, a: Close) -> Close:
        """Propagates: |ln â − ln a| ≤ ea / (a − ea); nothing is known where â may not be positive."""
        room = a.value - a.error
        carried = np.where(room > 0, a.error / np.where(room > 0, room, 1), np.inf)
        return self.rounded(np.log(a.value), np.where(a.error == 0, 0, carried))

    def tanh(self, a: Close) -> Close:
        """Propagates: ea · the steepest slope between â and a, 1 − tanh² where nearest to 0."""
        return self.rounded(np.tanh(a.value), a.error * (1 - np.tanh(self._nearest_to_0(a)) ** 2))

    def erf(self, a: Close) -> Close:
        """The same with the slope 2/√π · exp(−x²)."""
        value = np.array([math.erf(x) for x in a.value.ravel().tolist()]).reshape(a.value.shape)
        return self.rounded(value, a.error * (2 / math.sqrt(math.pi)) * np.exp(-(self._nearest_to_0(a) ** 2)))

    def sin(self, a: Close) -> Close:
        """Propagates: |sin â − sin a| ≤ ea."""
        return self.rounded(np.sin(a.value), a.error)

    def cos(self, a: Close) -> Close:
        """As for a sine."""
        return self.rounded(np.cos(a.value), a.error)

    def _nearest_to_0(self, a: Close) -> Array:
        return np.asarray(np.maximum(np.abs(a.value) - a.error, 0))

    def negate(self, a: Close) -> Close:
        """Exact."""
        return Close(-a.value, a.error)

    def relu(self, a: Close) -> Close:
        """Propagates: |max(â, 0) − max(a, 0)| ≤ ea; nothing is rounded."""
        return Close(np.maximum(a.value, 0), a.error)

    def absolute(self, a: Close) -> Close:
        """Propagates: ||â| − |a|| ≤ ea; nothing is rounded."""
        return Close(np.abs(a.value), a.error)

    def above(self, x: Close, limit: Close, then: Close, otherwise: Close) -> Close:
        """`then` where x > limit, else `otherwise`; where the errors leave open which, as far as the farther one."""
        chosen = np.where(x.value > limit.value, then.value, otherwise.value)
        error = np.where(x.value > limit.value, then.error, otherwise.error)
        unsure = np.abs(x.value - limit.value) < x.error + limit.error
        either = np.abs(then.value - otherwise.value) + np.maximum(then.error, otherwise.error)
        return Close(chosen, np.where(unsure, either, error))

    def maximum(self, row: Close) -> Close:
        """Of the last axis, kept: |max â − max a| ≤ max ea; nothing is rounded."""
        if not row.value.shape[-1]:
            return Close(np.zeros((*row.value.shape[:-1], 1)), np.zeros((*row.value.shape[:-1], 1)))
        return Close(row.value.max(axis=-1, keepdims=True), row.error.max(axis=-1, keepdims=True))

    def sum(self, row: Close) -> Close:
        """Along the last axis, n terms in any order: γ_n·Σ|t̂| with γ_n = n·u / (1 − n·u) (Higham, section 4.2), |t̂|
        ≤ |t| + et. An addition that underflows is exact, so η does not enter.
        """
        n = row.value.shape[-1] * self.unit
        size = np.sum(np.abs(row.value) + row.error, axis=-1)
        return Close(np.sum(row.value, axis=-1), np.sum(row.error, axis=-1) + n / (1 - n) * size)

    def dot(self, a: Close, b: Close) -> Close:
        """Products rounded, then summed along the last axis: for exact a and b about (n + 1)·u·Σ|a·b|."""
        return self.sum(self.multiply(a, b))

    def matmul(self, a: Close, b: Close) -> Close:
        """`dot` of every row [*, T, K] with every row [N, K], without an array of all their products."""
        sizes = [np.abs(each.value) for each in (a, b)]
        size = sizes[0] @ sizes[1].T
        carried = sizes[0] @ b.error.T + a.error @ (sizes[1] + b.error).T
        depth = size.dtype.type(a.value.shape[-1])
        products = carried + self.unit * (size + carried) + self.least * depth
        n = depth * self.unit
        return Close(a.value @ b.value.T, products + n / (1 - n) * (size + products))


class Uncertain(Rounding):
    """Arithmetic on inputs that are off already: complex numbers, whose imaginary part says how far at most."""

    def exact(self, x: Array) -> Close:
        """A number that is known, or one that is off."""
        x = np.asarray(x)
        return Close(x.real.copy(), x.imag.copy()) if x.dtype.kind == "c" else super().exact(x)


def last(row: Close) -> Close:
    """One number per row, beside that row."""
    return Close(row.value[..., None], row.error[..., None])
