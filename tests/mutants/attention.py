"""Masks, scales, heads and keys."""

import numpy as np

from llmtrace.ops.op import ordered_sum
from mutants import meaning, plant


def scores(q, k, root=True, shift=0):
    total = ordered_sum(q[..., :, None, :] * k[..., None, :, :])
    with np.errstate(all="ignore"):
        total = total / q.dtype.type(np.sqrt(q.shape[-1])) if root else total
    seen = np.tri(q.shape[-2], k.shape[-2], k.shape[-2] - q.shape[-2] + shift, dtype=bool)
    return np.where(seen, total, q.dtype.type(-np.inf))


@plant("1/√D missing", "attention_scores")
@plant("1/√D missing, in the meaning", "attention_scores", "bound")
def _(q, k):
    return scores(q, k, root=False)


@plant("1/√D as a factor", "attention_scores")
def _(q, k):
    with np.errstate(all="ignore"):
        return np.where(
            np.isneginf(scores(q, k)), scores(q, k), scores(q, k, False) * q.dtype.type(1 / np.sqrt(q.shape[-1]))
        )


@plant("the mask lets the next key in", "attention_scores")
@plant("the mask lets the next key in, in the meaning", "attention_scores", "bound")
def _(q, k):
    return scores(q, k, shift=1)


@plant("the mask hides the query's own key", "attention_scores")
def _(q, k):
    return scores(q, k, shift=-1)


@plant("queries and keys swapped", "attention_scores")
def _(q, k):
    return scores(k, q) if q.shape == k.shape else scores(q, k)


@plant("masked keys multiplied by zero", "attention_mix")
def _(pattern, v):
    seen = np.tri(*pattern.shape[-2:], pattern.shape[-1] - pattern.shape[-2], dtype=bool)
    return ordered_sum(np.where(seen, pattern, 0)[..., :, None, :] * np.swapaxes(v, -1, -2)[..., None, :, :])


@plant("keys from last to first", "attention_mix")
def _(pattern, v):
    queries, keys = pattern.shape[-2:]
    out = np.zeros((*pattern.shape[:-1], v.shape[-1]), pattern.dtype)
    for key in reversed(range(keys)):
        first = max(0, key - (keys - queries))
        out[..., first:, :] += pattern[..., first:, key, None] * v[..., key, None, :]
    return out


@plant("1/√D missing", "full_scores")
@plant("1/√D missing, in the meaning", "full_scores", "bound")
def _(q, k):
    return meaning("full_products")(q, k)


@plant("later keys masked", "full_scores")
def _(q, k):
    return scores(q, k) if q.shape[-2] <= k.shape[-2] else meaning("full_scores")(q, k)


@plant("the last key forgotten", "full_mix")
@plant("the last key forgotten, in the meaning", "full_mix", "bound")
def _(pattern, v):
    return meaning("full_mix")(pattern[..., :-1], v[..., :-1, :])


@plant("keys from last to first", "full_mix")
def _(pattern, v):
    return meaning("full_mix")(pattern[..., ::-1], v[..., ::-1, :])


@plant("queries from last to first", "full_back")
def _(pattern, x):
    return meaning("full_back")(pattern[..., ::-1, :], x[..., ::-1, :])


@plant("the first feature forgotten", "full_products")
def _(a, b):
    return meaning("full_products")(a[..., 1:], b[..., 1:])


def causal(x, shift):
    out = np.zeros_like(x)
    for t in range(x.shape[-2]):
        kept = min(x.shape[-1], max(0, x.shape[-1] - x.shape[-2] + t + 1 + shift))
        out[..., t, :kept] = meaning("softmax")(x[..., t, :kept])
    return out


@plant("one key too many in a causal softmax", "causal_softmax")
def _(x):
    return causal(x, 1)


@plant("one key too few in a causal softmax", "causal_softmax")
@plant("one key too few in a causal softmax, in the meaning", "causal_softmax", "bound")
def _(x):
    return causal(x, -1)
