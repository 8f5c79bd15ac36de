"""The bounds of attention, of its gradients, and of the features of heads, which are only moved."""

import math
from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.testing.bounds_rows import softmax, softmax_gradient
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["ATTENTION"]


def seen(queries: int, keys: int) -> Array:
    """Which query sees which key."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


def attention_scores(r: Rounding, q: Array, k: Array) -> Close:
    """(Σ q·k) / √D, the root a constant; later keys −∞."""
    scores = r.divide(
        r.dot(r.exact(q[..., :, None, :]), r.exact(k[..., None, :, :])), r.constant(math.sqrt(q.shape[-1]))
    )
    mask = seen(q.shape[-2], k.shape[-2])
    return Close(np.where(mask, scores.value, -np.inf), np.where(mask, scores.error, 0))


def attention_mix(r: Rounding, pattern: Array, v: Array) -> Close:
    """Σ pattern·v; a masked key's product, here 0, adds nothing to the value."""
    known = np.where(seen(*pattern.shape[-2:]), pattern, 0)
    return r.dot(r.exact(known[..., :, None, :]), r.exact(np.swapaxes(v, -1, -2)[..., None, :, :]))


def attention_products(r: Rounding, a: Array, b: Array) -> Close:
    """Σ a·b; later keys 0 exactly."""
    out = r.dot(r.exact(a[..., :, None, :]), r.exact(b[..., None, :, :]))
    mask = seen(a.shape[-2], b.shape[-2])
    return Close(np.where(mask, out.value, 0), np.where(mask, out.error, 0))


def attention_back(r: Rounding, pattern: Array, x: Array) -> Close:
    """Σ pattern·x over the queries; one that does not see the key adds nothing to the value."""
    known = np.swapaxes(np.where(seen(*pattern.shape[-2:]), pattern, 0), -1, -2)
    return r.dot(r.exact(known[..., :, None, :]), r.exact(np.swapaxes(x, -1, -2)[..., None, :, :]))


def full_scores(r: Rounding, q: Array, k: Array) -> Close:
    """(Σ q·k) / √D, the root a constant."""
    return r.divide(full_products(r, q, k), r.constant(math.sqrt(q.shape[-1])))


def full_mix(r: Rounding, pattern: Array, v: Array) -> Close:
    """Σ pattern·v over all keys."""
    return full_products(r, pattern, np.swapaxes(v, -1, -2))


def full_products(r: Rounding, a: Array, b: Array) -> Close:
    """Σ a·b."""
    return r.dot(r.exact(a[..., :, None, :]), r.exact(b[..., None, :, :]))


def full_back(r: Rounding, pattern: Array, x: Array) -> Close:
    """Σ pattern·x over all queries."""
    return full_products(r, np.swapaxes(pattern, -1, -2), np.swapaxes(x, -1, -2))


def causal_softmax(r: Rounding, x: Array) -> Close:
    """Softmax of each query's keys; the others are 0 exactly."""
    out = r.exact(np.zeros_like(x))
    past = x.shape[-1] - x.shape[-2]
    for t in range(x.shape[-2]):
        value, error = softmax(r, x[..., t, : past + t + 1])
        out.value[..., t, : past + t + 1], out.error[..., t, : past + t + 1] = value, error
    return out


def causal_softmax_gradient(r: Rounding, p: Array, dout: Array) -> Close:
    """That of softmax for each query's keys; the others are 0 exactly."""
    mask = seen(*p.shape[-2:])
    out = softmax_gradient(r, np.where(mask, p, 0), np.where(mask, dout, 0))
    return Close(np.where(mask, out.value, 0), np.where(mask, out.error, 0))


def merge_heads(r: Rounding, x: Array) -> Close:
    """Moved."""
    *lead, heads, positions, features = x.shape
    return r.exact(np.swapaxes(x, -3, -2).reshape(*lead, positions, heads * features))


def split_heads(r: Rounding, x: Array, heads: int) -> Close:
    """Moved."""
    *lead, positions, features = x.shape
    return r.exact(np.swapaxes(x.reshape(*lead, positions, heads, features // heads), -3, -2))


def rotate(r: Rounding, x: Array, cosine: Array, sine: Array, interleaved: bool) -> Close:
    """(a·cos − b·sin, b·cos + a·sin) for every pair."""
    pairs = cosine.shape[-1]
    places = np.arange(2 * pairs).reshape((pairs, 2) if interleaved else (2, pairs))
    first, second = places.T if interleaved else places
    a, b = r.exact(x[..., first]), r.exact(x[..., second])
    cos, sin = r.exact(cosine[..., None, :, :]), r.exact(sine[..., None, :, :])
    turned = r.subtract(r.multiply(a, cos), r.multiply(b, sin)), r.add(r.multiply(b, cos), r.multiply(a, sin))
    out = r.exact(np.zeros(x.shape))
    for where, part in zip((first, second), turned, strict=True):
        out.value[..., where], out.error[..., where] = part
    return out


def sum_heads(r: Rounding, x: Array, copies: int) -> Close:
    """Σ over the heads of a group."""
    *lead, heads, positions, features = x.shape
    groups = x.reshape(*lead, heads // copies, copies, positions, features)
    return r.sum(r.exact(np.moveaxis(groups, -3, -1)))


def whole_attention(r: Rounding, q: Array, k: Array, v: Array) -> Close:
    """Scores, their softmax query by query, and the mix, each with the error of what went before."""
    past = k.shape[-2] - q.shape[-2]
    scale = r.constant(math.sqrt(q.shape[-1]))
    rows = []
    for t in range(q.shape[-2]):
        keys = slice(0, past + t + 1)
        score = r.divide(r.dot(r.exact(q[..., t, None, :]), r.exact(k[..., keys, :])), scale)
        e = r.exp(r.subtract(score, r.maximum(score)))
        share = r.divide(e, last(r.sum(e)))
        shares = Close(share.value[..., None, :], share.error[..., None, :])
        rows.append(r.dot(shares, r.exact(np.swapaxes(v[..., keys, :], -1, -2))))
    if not rows:
        return r.exact(np.zeros((*q.shape[:-1], v.shape[-1])))
    return Close(*(np.stack(parts, axis=-2) for parts in zip(*rows, strict=True)))


ATTENTION: dict[str, Callable[..., Close]] = {
    "attention": whole_attention,
    "attention_back": attention_back,
    "attention_mix": attention_mix,
    "attention_products": attention_products,
    "attention_scores": attention_scores,
    "causal_softmax": causal_softmax,
    "causal_softmax_gradient": causal_softmax_gradient,
    "full_back": full_back,
    "full_mix": full_mix,
    "full_products": full_products,
    "full_scores": full_scores,
    "merge_heads": merge_heads,
    "repeat_heads": lambda r, x, copies: r.exact(np.repeat(x, copies, axis=-3)),
    "rotate": rotate,
    "split_heads": split_heads,
    "sum_heads": sum_heads,
}
