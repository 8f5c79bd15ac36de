"""The bounds on the errors of the ops of the backward pass that add up rows, positions and heads; see `bounds`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["ROWS"]


def leading_last(x: Array, kept: int = 1) -> Array:
    """The leading axes as one, last: [*, C] → [C, positions]."""
    lead = int(np.prod(x.shape[: x.ndim - kept]))
    return np.moveaxis(x.reshape(lead, *x.shape[x.ndim - kept :]), 0, -1)


def sum_from(r: Rounding, terms: Close, initial: Array | None) -> Close:
    """A sum that begins at `initial`, which is one more term."""
    if initial is None:
        return r.sum(terms)
    first = r.exact(initial[..., None])
    return r.sum(Close(*(np.concatenate(parts, axis=-1) for parts in zip(first, terms, strict=True))))


def sum_outer_products(r: Rounding, a: Array, b: Array, initial: Array | None) -> Close:
    """Σ a·b for every pair of features."""
    rows, columns = leading_last(a)[:, None, :], leading_last(b)
    return sum_from(r, r.multiply(r.exact(rows), r.exact(columns)), initial)


def sum_products(r: Rounding, a: Array, b: Array, initial: Array | None) -> Close:
    """Σ a·b for every feature."""
    return sum_from(r, r.multiply(r.exact(leading_last(a)), r.exact(leading_last(b))), initial)


def embedding_gradient(r: Rounding, ids: Array, dout: Array, initial: Array | None, rows: int) -> Close:
    """Σ dout where the id is the row; what another row gets adds nothing to the value, nor to the bound."""
    chosen = ids.reshape(-1) == np.arange(rows)[:, None, None]
    return sum_from(r, r.exact(np.where(chosen, leading_last(dout), 0)), initial)


def seen(queries: int, keys: int) -> Array:
    """Which query sees which key."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


def attention_products(r: Rounding, a: Array, b: Array) -> Close:
    """Σ a·b; later keys 0 exactly."""
    out = r.dot(r.exact(a[..., :, None, :]), r.exact(b[..., None, :, :]))
    mask = seen(a.shape[-2], b.shape[-2])
    return Close(np.where(mask, out.value, 0), np.where(mask, out.error, 0))


def attention_back(r: Rounding, pattern: Array, x: Array) -> Close:
    """Σ pattern·x over the queries; one that does not see the key adds nothing to the value."""
    known = np.swapaxes(np.where(seen(*pattern.shape[-2:]), pattern, 0), -1, -2)
    return r.dot(r.exact(known[..., :, None, :]), r.exact(np.swapaxes(x, -1, -2)[..., None, :, :]))


def softmax_gradient(r: Rounding, p: Array, dout: Array) -> Close:
    """p · (dout − Σ dout·p)."""
    inner = last(r.dot(r.exact(dout), r.exact(p)))
    return r.multiply(r.exact(p), r.subtract(r.exact(dout), inner))


def causal_softmax_gradient(r: Rounding, p: Array, dout: Array) -> Close:
    """The same for each query's keys; the others are 0 exactly."""
    mask = seen(*p.shape[-2:])
    out = softmax_gradient(r, np.where(mask, p, 0), np.where(mask, dout, 0))
    return Close(np.where(mask, out.value, 0), np.where(mask, out.error, 0))


def normalised(r: Rounding, x: Array, epsilon: float) -> tuple[Close, Close]:
    """n = d / root, and root = √(Σd²/C + ε) beside it."""
    count = r.exact(np.asarray(x.shape[-1]))
    d = r.subtract(r.exact(x), last(r.divide(r.sum(r.exact(x)), count)))
    root = last(r.root(r.add(r.divide(r.sum(r.multiply(d, d)), count), r.constant(epsilon))))
    return r.divide(d, root), root


def layer_norm_gradient(r: Rounding, x: Array, dout: Array, gain: Array, epsilon: float) -> Close:
    """((e − a) − n·b) / root with e = dout·gain, a = Σe/C, b = Σ(e·n)/C."""
    count = r.exact(np.asarray(x.shape[-1]))
    n, root = normalised(r, x, epsilon)
    e = r.multiply(r.exact(dout), r.exact(gain))
    a, b = last(r.divide(r.sum(e), count)), last(r.divide(r.dot(e, n), count))
    return r.divide(r.subtract(r.subtract(e, a), r.multiply(n, b)), root)


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


def merge_heads(r: Rounding, x: Array) -> Close:
    """Moved."""
    *lead, heads, positions, features = x.shape
    return r.exact(np.swapaxes(x, -3, -2).reshape(*lead, positions, heads * features))


def split_heads(r: Rounding, x: Array, heads: int) -> Close:
    """Moved."""
    *lead, positions, features = x.shape
    return r.exact(np.swapaxes(x.reshape(*lead, positions, heads, features // heads), -3, -2))


ROWS: dict[str, Callable[..., Close]] = {
    "attention_back": attention_back,
    "attention_products": attention_products,
    "causal_softmax_gradient": causal_softmax_gradient,
    "cross_entropy": cross_entropy,
    "cross_entropy_gradient": cross_entropy_gradient,
    "cross_entropy_v1": cross_entropy_v1,
    "embedding_gradient": embedding_gradient,
    "layer_norm_gradient": layer_norm_gradient,
    "merge_heads": merge_heads,
    "normalise": lambda r, x, epsilon: normalised(r, x, epsilon)[0],
    "sum_outer_products": sum_outer_products,
    "slice_positions": lambda r, x, first, count: r.exact(x[..., first : first + count, :]),
    "sum_products": sum_products,
    "squared_norm": lambda r, x: r.dot(r.exact(x), r.exact(x)),
    "sum_positions": lambda r, x, initial: sum_from(r, r.exact(leading_last(x)), initial),
    "softmax_gradient": softmax_gradient,
    "split_heads": split_heads,
    "broadcast": lambda r, x, like: r.exact(np.full(like.shape, x)),
    "sum_all": lambda r, x, initial: sum_from(r, r.exact(x.reshape(-1)), initial),
}
