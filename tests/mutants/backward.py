"""Gradients of rows, matrices, heads and attention, with the mistakes that one makes by hand."""

import numpy as np

from llmtrace.ops import OPS
from llmtrace.ops.op import ordered_sum
from mutants import meaning, plant

# ---- sums over positions -------------------------------------------------------------------------------------------


@plant("the initial value forgotten", "sum_outer_products")
@plant("the initial value forgotten, in the meaning", "sum_outer_products", "bound")
def _(a, b, initial):
    return meaning("sum_outer_products")(a, b)


@plant("the initial value added last", "sum_outer_products")
def _(a, b, initial):
    total = meaning("sum_outer_products")(a, b)
    return total if initial is None else initial + total


@plant("a and b one position apart", "sum_outer_products")
@plant("a and b one position apart, in the meaning", "sum_outer_products", "bound")
def _(a, b, initial):
    shifted = np.roll(a.reshape(int(np.prod(a.shape[:-1])), a.shape[-1]), 1, axis=0).reshape(a.shape)
    return meaning("sum_outer_products")(shifted, b, initial)


@plant("positions from last to first", "sum_outer_products")
def _(a, b, initial):
    a, b = (x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])[::-1].copy() for x in (a, b))
    return meaning("sum_outer_products")(a, b, initial)


@plant("a sum over all but the first axis of positions", "sum_positions")
def _(x, initial):
    x = x[-1] if x.ndim > 2 and len(x) else x
    return meaning("sum_positions")(np.ascontiguousarray(x), initial)


@plant("a mean instead of a sum", "sum_positions", "bound")
def _(x, initial):
    count = max(1, int(np.prod(x.shape[:-1])))
    return meaning("sum_positions")(x / x.dtype.type(count), initial)


@plant("the initial value forgotten", "sum_positions")
@plant("the initial value forgotten, in the meaning", "sum_positions", "bound")
def _(x, initial):
    return meaning("sum_positions")(x)


@plant("a pairwise sum of products", "sum_products")
def _(a, b, initial):
    product = (a * b).reshape(int(np.prod(a.shape[:-1])), a.shape[-1])
    total = np.sum(np.ascontiguousarray(product.T), axis=-1)
    return total if initial is None else initial + total


@plant("the last position that reads a row wins", "embedding_gradient")
@plant("the last position that reads a row wins, in the meaning", "embedding_gradient", "bound")
def _(ids, dout, initial, rows):
    out = np.zeros((rows, dout.shape[-1]), dout.dtype) if initial is None else initial.copy()
    out[ids] += dout
    return out


@plant("the initial value forgotten", "embedding_gradient")
def _(ids, dout, initial, rows):
    return meaning("embedding_gradient")(ids, dout, rows=rows)


@plant("a total with an exact sum", "sum_all")
def _(x, initial):
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    return (np.sum(x, dtype=wide) + (0 if initial is None else initial)).astype(x.dtype)


@plant("a sum of squares of the mean", "squared_norm", "bound")
def _(x):
    return ordered_sum(x) * ordered_sum(x)


# ---- rows ----------------------------------------------------------------------------------------------------------


@plant("what the other shares lose forgotten", "softmax_gradient")
@plant("what the other shares lose forgotten, in the meaning", "softmax_gradient", "bound")
def _(p, dout):
    return p * dout


@plant("a mean without weights", "softmax_gradient")
def _(p, dout):
    return p * (dout - ordered_sum(dout)[..., None] / p.dtype.type(max(1, p.shape[-1])))


@plant("masked keys in the sum", "causal_softmax_gradient")
@plant("masked keys in the sum, in the meaning", "causal_softmax_gradient", "bound")
def _(p, dout):
    seen = np.tri(*p.shape[-2:], p.shape[-1] - p.shape[-2], dtype=bool)
    return np.where(seen, meaning("softmax_gradient")(p, dout), p.dtype.type(0))


def layer_norm_gradient(x, dout, gain, epsilon, parts="ab", count=None):
    count = x.dtype.type(x.shape[-1] if count is None else count)
    d = x - (ordered_sum(x) / x.dtype.type(x.shape[-1]))[..., None]
    root = np.sqrt((ordered_sum(d * d) / x.dtype.type(x.shape[-1]))[..., None] + x.dtype.type(epsilon))
    n, e = d / root, dout * gain
    a, b = (ordered_sum(e) / count)[..., None], (ordered_sum(e * n) / count)[..., None]
    out = e - a if "a" in parts else e
    return (out - n * b if "b" in parts else out) / root


@plant("1 / C forgotten", "layer_norm_gradient")
@plant("1 / C forgotten, in the meaning", "layer_norm_gradient", "bound")
def _(x, dout, gain, epsilon):
    return layer_norm_gradient(x, dout, gain, epsilon, count=1)


@plant("the mean taken for a constant", "layer_norm_gradient")
@plant("the mean taken for a constant, in the meaning", "layer_norm_gradient", "bound")
def _(x, dout, gain, epsilon):
    return layer_norm_gradient(x, dout, gain, epsilon, "b")


@plant("the spread taken for a constant", "layer_norm_gradient")
def _(x, dout, gain, epsilon):
    return layer_norm_gradient(x, dout, gain, epsilon, "a")


@plant("the root forgotten", "normalise")
def _(x, epsilon):
    return x - (ordered_sum(x) / x.dtype.type(x.shape[-1]))[..., None]


@plant("the target shifted by one", "cross_entropy")
@plant("the target shifted by one, in the meaning", "cross_entropy", "bound")
def _(x, target):
    return meaning("cross_entropy")(x, np.maximum(target - 1, 0))


@plant("the maximum not added back", "cross_entropy")
def _(x, target):
    return meaning("cross_entropy")(x, target) - np.max(x, axis=-1, initial=-np.inf)


@plant("the order of version 1, which loses digits", "cross_entropy")
def _(x, target):
    return meaning("cross_entropy_v1")(x, target)


@plant("the order of version 2", "cross_entropy_v1")
def _(x, target):
    return meaning("cross_entropy")(x, target)


@plant("the order of version 1, explained", "cross_entropy", "explain")
def _(w):
    OPS["cross_entropy_v1"].explain(w)


@plant("the order of version 2, explained", "cross_entropy_v1", "explain")
def _(w):
    OPS["cross_entropy"].explain(w)


@plant("the target shifted by one", "cross_entropy_gradient")
@plant("the target shifted by one, in the meaning", "cross_entropy_gradient", "bound")
def _(x, target, dout):
    return meaning("cross_entropy_gradient")(x, np.maximum(target - 1, 0), dout)


@plant("1 taken off after the product", "cross_entropy_gradient")
def _(x, target, dout):
    at_target = np.arange(x.shape[-1]) == target[..., None]
    return meaning("softmax")(x) * dout[..., None] - at_target.astype(x.dtype)


# ---- heads, attention, places --------------------------------------------------------------------------------------


@plant("heads interleaved", "merge_heads")
@plant("heads interleaved, in the meaning", "merge_heads", "bound")
def _(x):
    joined = np.moveaxis(x, -3, -1)
    return joined.reshape(*joined.shape[:-2], x.shape[-3] * x.shape[-1])


@plant("heads interleaved", "split_heads")
def _(x, heads):
    return np.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // heads, heads), -1, -3)


@plant("masked products as −∞", "attention_products")
def _(a, b):
    out = meaning("attention_products")(a, b)
    seen = np.tri(*out.shape[-2:], out.shape[-1] - out.shape[-2], dtype=bool)
    return np.where(seen, out, a.dtype.type(-np.inf))


@plant("divided by √D, as scores are", "attention_products")
@plant("divided by √D, as scores are, in the meaning", "attention_products", "bound")
def _(a, b):
    return meaning("attention_products")(a, b) / a.dtype.type(np.sqrt(max(1, a.shape[-1])))


def back(pattern, x, shift):
    queries, keys = pattern.shape[-2:]
    out = np.zeros((*pattern.shape[:-2], keys, x.shape[-1]), pattern.dtype)
    for t in range(queries):
        seen = min(keys, max(0, keys - queries + t + 1 + shift))
        out[..., :seen, :] += pattern[..., t, :seen, None] * x[..., t, None, :]
    return out


@plant("a query that sees one key too many", "attention_back")
@plant("a query that sees one key too many, in the meaning", "attention_back", "bound")
def _(pattern, x):
    return back(pattern, x, 1)


@plant("a query that does not see its own key", "attention_back")
def _(pattern, x):
    return back(pattern, x, -1)


@plant("places counted from 0", "slice_positions")
def _(x, first, count):
    return meaning("slice_positions")(x, first=0, count=count)


@plant("dealt out instead of repeated", "broadcast", "bound")
def _(x, like):
    return meaning("broadcast")(x, like) / x.dtype.type(max(1, like.size))


# ---- explanations and promises -------------------------------------------------------------------------------------


TRUE = {name: OPS[name].explain for name in ("sum_positions", "embedding_gradient", "cross_entropy_gradient")}


@plant("no initial value explained", "sum_positions", "explain")
def _(w):
    w.has = lambda name: False
    TRUE["sum_positions"](w)


@plant("all positions explained", "embedding_gradient", "explain")
def _(w):
    shape = w["ids"].shape
    if len(shape) == 1:
        w.sum("out", w["dout"][np.arange(shape[0]), w.index[1]])
    else:
        TRUE["embedding_gradient"](w)


@plant("1 not taken off at the target", "cross_entropy_gradient", "explain")
def _(w):
    w.subtract = lambda name, a, b, subtract=w.subtract: a if name.startswith("share") else subtract(name, a, b)
    TRUE["cross_entropy_gradient"](w)


@plant("rows counted from the end", "embedding_gradient", "refusals", whole=True)
def _(ids, dout, initial, *, rows, empty=np.empty):
    ids = np.asarray(ids % rows) if ids.dtype == np.int64 and rows > 0 else ids
    return OPS["embedding_gradient"].forward(ids, dout, initial, rows=rows, empty=empty)


@plant("a target beyond the row taken for the last", "cross_entropy", "refusals", whole=True)
def _(x, target, *, empty=np.empty):
    target = np.minimum(target, x.shape[-1] - 1) if target.dtype == np.int64 else target
    return OPS["cross_entropy"].forward(x, target, empty=empty)


@plant("positions that are cut off in silence", "slice_positions", "refusals", whole=True)
def _(x, *, first, count, empty=np.empty):
    count = min(count, x.shape[-2] - first) if x.ndim > 1 else count
    return OPS["slice_positions"].forward(x, first=first, count=count, empty=empty)


@plant("an initial value of another shape broadcast", "sum_outer_products", "refusals", whole=True)
def _(a, b, initial, *, empty=np.empty):
    if initial is not None and initial.dtype == a.dtype and initial.ndim == 3 and len(initial) == 1:
        initial = initial[0].copy()
    return OPS["sum_outer_products"].forward(a, b, initial, empty=empty)
