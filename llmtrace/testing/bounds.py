"""How far a calculation in a short type may end from the true value: running error bounds, worked out beside the value.

Every number is a pair: its value in float64, and a bound on |computed − value|, where "computed" is what the same
formula gives when every operation rounds to the short type. An operation does two things to the bound (Wilkinson,
Rounding Errors in Algebraic Processes, 1963; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002,
sections 2.2, 3.3 and 4.2):

* it *propagates* the bounds of its operands, here always to all orders, never only the first: for a product
  |â·b̂ − a·b| ≤ |a|·eb + |b|·ea + ea·eb;
* it *rounds*: |fl(t) − t| ≤ u·|t| + η with the unit u = 2^-24 (2^-53 for float64) and η, half the least subnormal,
  for results that underflow; and t is at most |value| + what was propagated.

Beside each op below stands its own formula, from which its bound follows. The order of a sum does not enter, so a
function that adds in another order keeps within the bound as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from llmtrace.ops.op import Array

__all__ = ["BOUNDS", "Close", "bound"]


class Close(NamedTuple):
    """A value in float64 and how far the computed one may be from it."""

    value: Array
    error: Array


class Rounding:
    """Arithmetic on `Close` numbers as if every result were rounded to `dtype`."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        info = np.finfo(dtype)
        self.unit = float(info.eps) / 2
        self.least = float(info.smallest_subnormal) / 2

    def exact(self, x: Array) -> Close:
        """A number that the short type holds as it is: an input, a count."""
        x = np.asarray(x, np.float64)
        return Close(x, np.zeros_like(x))

    def constant(self, x: float) -> Close:
        """A number of the formula, rounded once."""
        return self.rounded(np.asarray(float(x)), np.asarray(0.0))

    def rounded(self, value: Array, propagated: Array) -> Close:
        """u·|t| + η, with |t| ≤ |value| + propagated; ±∞ and NaN are not rounded."""
        size = np.where(np.isfinite(value), np.abs(value) + propagated, 0)
        return Close(value, propagated + self.unit * size + self.least * (size > 0))

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

    def _nearest_to_0(self, a: Close) -> Array:
        return np.asarray(np.maximum(np.abs(a.value) - a.error, 0))

    def negate(self, a: Close) -> Close:
        """Exact."""
        return Close(-a.value, a.error)

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


def last(row: Close) -> Close:
    """One number per row, beside that row."""
    return Close(row.value[..., None], row.error[..., None])


def linear(r: Rounding, x: Array, weight: Array, bias: Array | None = None, transposed: bool = False) -> Close:
    """Σ x·w + b: the (K + 1)·u·Σ|x·w| of a dot product, and u·|out| for the bias."""
    matrix = weight if transposed else weight.T  # [N, K]
    out = r.dot(r.exact(x[..., None, :]), r.exact(matrix))
    return out if bias is None else r.add(out, r.exact(bias))


def linear_to_heads(r: Rounding, x: Array, weight: Array, bias: Array | None, heads: int) -> Close:
    """A linear layer, its outputs dealt out."""
    *lead, positions, _ = x.shape
    shape = (*lead, positions, heads, weight.shape[1] // heads)
    return Close(*(np.swapaxes(part.reshape(shape), -3, -2) for part in linear(r, x, weight, bias)))


def linear_from_heads(r: Rounding, x: Array, weight: Array, bias: Array | None) -> Close:
    """A linear layer whose inputs are gathered first."""
    *lead, heads, positions, features = x.shape
    return linear(r, np.swapaxes(x, -3, -2).reshape(*lead, positions, heads * features), weight, bias)


def attention_scores(r: Rounding, q: Array, k: Array) -> Close:
    """(Σ q·k) / √D, the root a constant; later keys −∞."""
    scores = r.divide(
        r.dot(r.exact(q[..., :, None, :]), r.exact(k[..., None, :, :])), r.constant(math.sqrt(q.shape[-1]))
    )
    seen = np.tri(q.shape[-2], k.shape[-2], k.shape[-2] - q.shape[-2], dtype=bool)
    return Close(np.where(seen, scores.value, -np.inf), np.where(seen, scores.error, 0))


def attention_mix(r: Rounding, pattern: Array, v: Array) -> Close:
    """Σ pattern·v; a masked key's product, here 0, adds nothing to the value."""
    queries, keys = pattern.shape[-2:]
    seen = np.where(np.tri(queries, keys, keys - queries, dtype=bool), pattern, 0)
    return r.dot(r.exact(seen[..., :, None, :]), r.exact(np.swapaxes(v, -1, -2)[..., None, :, :]))


def softmax(r: Rounding, x: Array) -> Close:
    """E / Σe, e = exp(x − max x)."""
    e = r.exp(r.subtract(r.exact(x), r.maximum(r.exact(x))))
    return r.divide(e, last(r.sum(e)))


def causal_softmax(r: Rounding, x: Array) -> Close:
    """Softmax of each query's keys; the others are 0 exactly."""
    out = r.exact(np.zeros_like(x))
    past = x.shape[-1] - x.shape[-2]
    for t in range(x.shape[-2]):
        value, error = softmax(r, x[..., t, : past + t + 1])
        out.value[..., t, : past + t + 1], out.error[..., t, : past + t + 1] = value, error
    return out


def layer_norm(r: Rounding, x: Array, gain: Array, bias: Array, epsilon: float) -> Close:
    """((d / √(Σd²/C + ε)) · gain) + bias, d = x − Σx/C; a count C is exact."""
    count = r.exact(np.asarray(x.shape[-1]))
    d = r.subtract(r.exact(x), last(r.divide(r.sum(r.exact(x)), count)))
    root = r.root(r.add(r.divide(r.sum(r.multiply(d, d)), count), r.constant(epsilon)))
    return r.add(r.multiply(r.divide(d, last(root)), r.exact(gain)), r.exact(bias))


def sigmoid(r: Rounding, x: Array) -> Close:
    """1 / (1 + exp(−x))."""
    one = r.exact(np.ones(()))
    return r.divide(one, r.add(one, r.exp(r.negate(r.exact(x)))))


def gelu(r: Rounding, x: Array, bent: Close) -> Close:
    """(0.5·x) · (1 + bent)."""
    return r.multiply(r.multiply(r.exact(np.asarray(0.5)), r.exact(x)), r.add(r.exact(np.ones(())), bent))


def gelu_tanh(r: Rounding, x: Array) -> Close:
    """GELU bent by tanh(√(2/π) · (x + 0.044715·((x·x)·x)))."""
    cube = r.multiply(r.multiply(r.exact(x), r.exact(x)), r.exact(x))
    inner = r.add(r.exact(x), r.multiply(r.constant(0.044715), cube))
    return gelu(r, x, r.tanh(r.multiply(r.constant(math.sqrt(2 / math.pi)), inner)))


BOUNDS: dict[str, Callable[..., Close]] = {
    "add": lambda r, a, b: r.add(r.exact(a), r.exact(b)),
    "append": lambda r, past, new: r.exact(np.concatenate([past, new], axis=-2)),
    "argmax": lambda r, x: r.exact(np.argmax(x, axis=-1)),
    "attention_mix": attention_mix,
    "attention_scores": attention_scores,
    "causal_softmax": causal_softmax,
    "embedding": lambda r, ids, weight: r.exact(weight[ids]),
    "erf": lambda r, x: r.erf(r.exact(x)),
    "exp": lambda r, x: r.exp(r.exact(x)),
    "gelu_erf": lambda r, x: gelu(r, x, r.erf(r.divide(r.exact(x), r.constant(math.sqrt(2))))),
    "gelu_tanh": gelu_tanh,
    "layer_norm": layer_norm,
    "linear": linear,
    "linear_from_heads": linear_from_heads,
    "linear_to_heads": linear_to_heads,
    "log": lambda r, x: r.log(r.exact(x)),
    "multiply": lambda r, a, b: r.multiply(r.exact(a), r.exact(b)),
    "relu": lambda r, x: r.exact(np.maximum(x, 0)),
    "scale": lambda r, x, factor: r.multiply(r.exact(x), r.constant(factor)),
    "sigmoid": sigmoid,
    "silu": lambda r, x: r.multiply(r.exact(x), sigmoid(r, x)),
    "softmax": softmax,
    "tanh": lambda r, x: r.tanh(r.exact(x)),
}


def bound(name: str, arguments: Any, dtype: npt.DTypeLike) -> Close:
    """An op's value in float64 and how far its calculation in `dtype` may end from it.

    The float64 value is itself computed, by NumPy's own functions and sums in NumPy's own order; those functions are
    allowed two units in the last place, four times the half unit of a correctly rounded one, and so four times the
    bound of a correctly rounded float64 calculation is added.
    """
    wide = arguments.cast(np.float64)
    own = wide.call(lambda *tensors, **settings: BOUNDS[name](Rounding(dtype), *tensors, **settings))
    reference = wide.call(lambda *tensors, **settings: BOUNDS[name](Rounding(np.float64), *tensors, **settings))
    return Close(own.value, own.error + 4 * reference.error)
