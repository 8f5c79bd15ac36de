"""The bounds of the cross-entropy, in both of its orders, and of its gradient."""

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["LOSSES"]


def cross_entropy(r: Rounding, x: Array, target: Array) -> Close:
    """(m − x[target]) + log Σ exp(x − m)."""
    if not target.size:
        return r.exact(np.zeros(target.shape))
    m, total, own = cross_entropy_parts(r, x, target)
    return r.add(r.subtract(m, own), total)


def cross_entropy_v1(r: Rounding, x: Array, target: Array) -> Close:
    """(m + log Σ exp(x − m)) − x[target]."""
    if not target.size:
        return r.exact(np.zeros(target.shape))
    m, total, own = cross_entropy_parts(r, x, target)
    return r.subtract(r.add(m, total), own)


def cross_entropy_parts(r: Rounding, x: Array, target: Array) -> tuple[Close, Close, Close]:
    """m = max x, log Σ exp(x − m) and x[target] of each row."""
    m = r.maximum(r.exact(x))
    total = r.log(r.sum(r.exp(r.subtract(r.exact(x), m))))
    own = np.take_along_axis(x, target[..., None], -1)[..., 0]
    return Close(m.value[..., 0], m.error[..., 0]), total, r.exact(own)


def cross_entropy_gradient(r: Rounding, x: Array, target: Array, dout: Array) -> Close:
    """(p − 1)·dout at the target, p·dout elsewhere; taking off 0 rounds nothing that is rounded already."""
    e = r.exp(r.subtract(r.exact(x), r.maximum(r.exact(x))))
    p = r.divide(e, last(r.sum(e)))
    one = (np.arange(x.shape[-1]) == target[..., None]).astype(np.float64)
    return r.multiply(r.subtract(p, r.exact(one)), r.exact(dout[..., None]))


LOSSES: dict[str, Callable[..., Close]] = {
    "cross_entropy": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
    "cross_entropy_v1": cross_entropy_v1,
}
