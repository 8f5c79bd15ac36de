"""The bounds of the operations that training does element by element; see `llmtrace.testing.bounds`.

What only compares (a ReLU's gradient, a sign) is exact, and is compared here as it is there: in the short type.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from llmtrace import rng
from llmtrace.arithmetic.types import Array
from llmtrace.testing.rounding import Close, Rounding

__all__ = ["ELEMENTS", "gelu_inner", "sigmoid"]


def one(r: Rounding) -> Close:
    """The number 1."""
    return r.exact(np.ones(()))


def half(r: Rounding) -> Close:
    """The number 0.5."""
    return r.exact(np.asarray(0.5))


def short(r: Rounding, x: float) -> float:
    """A setting as the short type holds it."""
    return float(np.float32(x)) if r.unit > 1e-10 else x


def sigmoid(r: Rounding, x: Array) -> Close:
    """1 / (1 + exp(−x))."""
    return r.divide(one(r), r.add(one(r), r.exp(r.negate(r.exact(x)))))


def gelu_inner(r: Rounding, x: Array) -> Close:
    """√(2/π) · (x + 0.044715·((x·x)·x))."""
    cube = r.multiply(r.multiply(r.exact(x), r.exact(x)), r.exact(x))
    inner = r.add(r.exact(x), r.multiply(r.constant(0.044715), cube))
    return r.multiply(r.constant(math.sqrt(2 / math.pi)), inner)


def divide(r: Rounding, a: Array, b: Array) -> Close:
    """a / b; a quotient beyond the short type, by a divisor next to 0, is infinite."""
    value, error = r.divide(r.exact(a), r.exact(b))
    beyond = np.abs(value) >= float(np.finfo(np.float32).max) if r.unit > 1e-10 else np.isinf(value)
    return Close(np.where(beyond, np.copysign(np.inf, value), value), np.where(beyond, 0, error))


def tanh_gradient(r: Rounding, out: Array, dout: Array) -> Close:
    """Dout · (1 − out·out)."""
    return r.multiply(r.exact(dout), r.subtract(one(r), r.multiply(r.exact(out), r.exact(out))))


def sigmoid_gradient(r: Rounding, out: Array, dout: Array) -> Close:
    """Dout · (out · (1 − out))."""
    return r.multiply(r.exact(dout), r.multiply(r.exact(out), r.subtract(one(r), r.exact(out))))


def silu_gradient(r: Rounding, x: Array, dout: Array) -> Close:
    """Dout · (s · (1 + x·(1 − s)))."""
    s = sigmoid(r, x)
    growth = r.add(one(r), r.multiply(r.exact(x), r.subtract(one(r), s)))
    return r.multiply(r.exact(dout), r.multiply(s, growth))


def erf_gradient(r: Rounding, x: Array, dout: Array) -> Close:
    """Dout · ((2/√π) · exp(−(x·x)))."""
    bell = r.exp(r.negate(r.multiply(r.exact(x), r.exact(x))))
    return r.multiply(r.exact(dout), r.multiply(r.constant(2 / math.sqrt(math.pi)), bell))


def gelu_tanh_gradient(r: Rounding, x: Array, dout: Array) -> Close:
    """Dout · ((0.5·(1 + t)) + ((0.5·x) · ((1 − t·t) · slope)))."""
    t, square = r.tanh(gelu_inner(r, x)), r.multiply(r.exact(x), r.exact(x))
    slope = r.multiply(r.constant(math.sqrt(2 / math.pi)), r.add(one(r), r.multiply(r.constant(3 * 0.044715), square)))
    steep = r.multiply(r.subtract(one(r), r.multiply(t, t)), slope)
    gate = r.multiply(half(r), r.add(one(r), t))
    return r.multiply(r.exact(dout), r.add(gate, r.multiply(r.multiply(half(r), r.exact(x)), steep)))


def gelu_erf_gradient(r: Rounding, x: Array, dout: Array) -> Close:
    """Dout · ((0.5·(1 + erf(x/√2))) + (x · (exp(−(0.5·(x·x))) · (1/√(2π)))))."""
    gate = r.multiply(half(r), r.add(one(r), r.erf(r.divide(r.exact(x), r.constant(math.sqrt(2))))))
    peak = r.exp(r.negate(r.multiply(half(r), r.multiply(r.exact(x), r.exact(x)))))
    bell = r.multiply(peak, r.constant(1 / math.sqrt(2 * math.pi)))
    return r.multiply(r.exact(dout), r.add(gate, r.multiply(r.exact(x), bell)))


def squared_error(r: Rounding, a: Array, b: Array) -> Close:
    """(a − b)·(a − b)."""
    difference = r.subtract(r.exact(a), r.exact(b))
    return r.multiply(difference, difference)


def squared_error_gradient(r: Rounding, a: Array, b: Array, dout: Array) -> Close:
    """Dout · (2·(a − b))."""
    slope = r.multiply(r.exact(np.asarray(2)), r.subtract(r.exact(a), r.exact(b)))
    return r.multiply(r.exact(dout), slope)


def absolute_error(r: Rounding, a: Array, b: Array) -> Close:
    """|a − b|; to leave out a sign is exact."""
    difference = r.subtract(r.exact(a), r.exact(b))
    return Close(np.abs(difference.value), difference.error)


def dropout(r: Rounding, x: Array, rate: float, seed: int, first: int) -> Close:
    """0 where chance says so, exactly, else x times the rounded factor."""
    u = rng.uniform(seed, first + np.arange(x.size, dtype=np.uint64)).reshape(x.shape)
    value, error = r.multiply(r.exact(x), r.constant(1 / (1 - rate)))
    dropped = u < short(r, rate)
    return Close(np.where(dropped, 0, value), np.where(dropped, 0, error))


def regularise(r: Rounding, gradient: Array, weight: Array, l1: float, l2: float) -> Close:
    """(gradient + l2·weight) + l1·sign(weight)."""
    square = r.add(r.exact(gradient), r.multiply(r.constant(l2), r.exact(weight)))
    return r.add(square, r.multiply(r.constant(l1), r.exact(np.sign(weight))))


def momentum_step(r: Rounding, before: Array, gradient: Array, momentum: float) -> Close:
    """momentum·before + gradient."""
    return r.add(r.multiply(r.constant(momentum), r.exact(before)), r.exact(gradient))


def sgd_step(r: Rounding, weight: Array, gradient: Array, rate: float) -> Close:
    """Weight − rate·gradient."""
    return r.subtract(r.exact(weight), r.multiply(r.constant(rate), r.exact(gradient)))


def fading(r: Rounding, before: Array, new: Close, beta: float) -> Close:
    """beta·before + (1 − beta)·new."""
    return r.add(r.multiply(r.constant(beta), r.exact(before)), r.multiply(r.constant(1 - beta), new))


def adam_square(r: Rounding, before: Array, gradient: Array, beta: float) -> Close:
    """beta·before + (1 − beta)·(gradient·gradient)."""
    return fading(r, before, r.multiply(r.exact(gradient), r.exact(gradient)), beta)


def adam_update(
    r: Rounding,
    *tensors: Array,
    rate: float,
    mean_correction: float,
    square_correction: float,
    epsilon: float,
    decay: float,
) -> Close:
    """(weight − (rate·decay)·weight) − rate·((mean / mean_correction) / (√(square / square_correction) + ε)). Where the mean of
    squares is below 0, which it never is in training, its root is NaN here and there: exactly known.
    """
    weight, mean, square = (r.exact(tensor) for tensor in tensors)
    size = r.add(r.root(r.divide(square, r.constant(square_correction))), r.constant(epsilon))
    step = r.divide(r.divide(mean, r.constant(mean_correction)), size)
    decayed = r.subtract(weight, r.multiply(r.constant(rate * decay), weight))
    value, error = r.subtract(decayed, r.multiply(r.constant(rate), step))
    return Close(value, np.where(np.isnan(value), 0, error))


def clip_factor(r: Rounding, norm: Array, limit: float) -> Close:
    """Limit / norm where norm > limit, else 1."""
    value, error = r.divide(r.constant(limit), r.exact(norm))
    clipped = norm > short(r, limit)
    return Close(np.where(clipped, value, 1), np.where(clipped, error, 0))


ELEMENTS: dict[str, Callable[..., Close]] = {
    "absolute_error": absolute_error,
    "absolute_error_gradient": lambda r, a, b, dout: r.exact(np.where(a == b, 0, np.where(a > b, dout, -dout))),
    "adam_mean": lambda r, before, gradient, beta: fading(r, before, r.exact(gradient), beta),
    "adam_square": adam_square,
    "adam_update": adam_update,
    "clip_factor": clip_factor,
    "sgd_step": sgd_step,
    "divide": divide,
    "dropout": dropout,
    "erf_gradient": erf_gradient,
    "gelu_erf_gradient": gelu_erf_gradient,
    "gelu_tanh_gradient": gelu_tanh_gradient,
    "multiply_scalar": lambda r, x, factor: r.multiply(r.exact(x), r.exact(factor)),
    "regularise": regularise,
    "relu_gradient": lambda r, x, dout: r.exact(np.where(x > 0, dout, 0)),
    "sqrt": lambda r, x: r.root(r.exact(x)),
    "sigmoid_gradient": sigmoid_gradient,
    "silu_gradient": silu_gradient,
    "squared_error": squared_error,
    "squared_error_gradient": squared_error_gradient,
    "subtract": lambda r, a, b: r.subtract(r.exact(a), r.exact(b)),
    "tanh_gradient": tanh_gradient,
    "momentum": momentum_step,
}
