"""The bounds of what is computed along rows, and of rows that are only moved."""

from collections.abc import Callable

import numpy as np

from llmtrace import rng
from llmtrace.arithmetic.types import Array
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["ROWS"]


def softmax(r: Rounding, x: Array) -> Close:
    """E / Σe, e = exp(x − max x)."""
    e = r.exp(r.subtract(r.exact(x), r.maximum(r.exact(x))))
    return r.divide(e, last(r.sum(e)))


def softmax_gradient(r: Rounding, p: Array, dout: Array) -> Close:
    """p · (dout − Σ dout·p)."""
    inner = last(r.dot(r.exact(dout), r.exact(p)))
    return r.multiply(r.exact(p), r.subtract(r.exact(dout), inner))


def normalised(r: Rounding, x: Array, epsilon: float) -> tuple[Close, Close]:
    """n = d / root with d = x − Σx/C, and root = √(Σd²/C + ε) beside it; a count C is exact."""
    count = r.exact(np.asarray(x.shape[-1]))
    d = r.subtract(r.exact(x), last(r.divide(r.sum(r.exact(x)), count)))
    root = last(r.root(r.add(r.divide(r.sum(r.multiply(d, d)), count), r.constant(epsilon))))
    return r.divide(d, root), root


def layer_norm(r: Rounding, x: Array, gain: Array, bias: Array, epsilon: float) -> Close:
    """(n · gain) + bias."""
    n, _root = normalised(r, x, epsilon)
    return r.add(r.multiply(n, r.exact(gain)), r.exact(bias))


def layer_norm_gradient(r: Rounding, x: Array, dout: Array, gain: Array, epsilon: float) -> Close:
    """((e − a) − n·b) / root with e = dout·gain, a = Σe/C, b = Σ(e·n)/C."""
    count = r.exact(np.asarray(x.shape[-1]))
    n, root = normalised(r, x, epsilon)
    e = r.multiply(r.exact(dout), r.exact(gain))
    a, b = last(r.divide(r.sum(e), count)), last(r.divide(r.dot(e, n), count))
    return r.divide(r.subtract(r.subtract(e, a), r.multiply(n, b)), root)


def dropout(r: Rounding, x: Array, rate: float, seed: int, first: int) -> Close:
    """0 where chance says so, exactly, else x times the rounded factor."""
    u = rng.uniform(seed, first + np.arange(x.size, dtype=np.uint64)).reshape(x.shape)
    value, error = r.multiply(r.exact(x), r.constant(1 / (1 - rate)))
    dropped = u < np.asarray(rate, r.real)
    return Close(np.where(dropped, 0, value), np.where(dropped, 0, error))


ROWS: dict[str, Callable[..., Close]] = {
    "broadcast": lambda r, x, like: r.exact(np.full(like.shape, x)),
    "concatenate": lambda r, past, new: r.exact(np.concatenate([past, new], axis=-2)),
    "dropout": dropout,
    "layer_norm": layer_norm,
    "layer_norm_gradient": layer_norm_gradient,
    "normalise": lambda r, x, epsilon: normalised(r, x, epsilon)[0],
    "select": lambda r, index, x: r.exact(np.take_along_axis(x, index[..., None, None], -2)[..., 0, :]),
    "slice_positions": lambda r, x, first, count: r.exact(x[..., first : first + count, :]),
    "softmax": softmax,
    "softmax_gradient": softmax_gradient,
    "squared_norm": lambda r, x: r.dot(r.exact(x), r.exact(x)),
}
