"""Gradients of rows, matrices, heads and attention, with the mistakes that one makes by hand."""

import numpy as np

from llmtrace.ops import OPS
from llmtrace.ops.op import accumulate
from mutants import meaning, plant

# ---- sums over positions -------------------------------------------------------------------------------------------


@plant("the start forgotten", "outer_sum")
@plant("the start forgotten, in the meaning", "outer_sum", "bound")
def _(a, b, start):
    return meaning("outer_sum")(a, b)


@plant("the start added last", "outer_sum")
def _(a, b, start):
    total = meaning("outer_sum")(a, b)
    return total if start is None else start + total


@plant("a and b one position apart", "outer_sum")
@plant("a and b one position apart, in the meaning", "outer_sum", "bound")
def _(a, b, start):
    shifted = np.roll(a.reshape(int(np.prod(a.shape[:-1])), a.shape[-1]), 1, axis=0).reshape(a.shape)
    return meaning("outer_sum")(shifted, b, start)


@plant("positions from last to first", "outer_sum")
def _(a, b, start):
    a, b = (x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])[::-1].copy() for x in (a, b))
    return meaning("outer_sum")(a, b, start)


@plant("a sum over all but the first axis of positions", "row_sum")
def _(x, start):
    x = x[-1] if x.ndim > 2 and len(x) else x
    return meaning("row_sum")(np.ascontiguousarray(x), start)


@plant("a mean instead of a sum", "row_sum", "bound")
def _(x, start):
    count = max(1, int(np.prod(x.shape[:-1])))
    return meaning("row_sum")(x / x.dtype.type(count), start)


@plant("the start forgotten", "row_sum")
@plant("the start forgotten, in the meaning", "row_sum", "bound")
def _(x, start):
    return meaning("row_sum")(x)


@plant("a pairwise sum of products", "product_sum")
def _(a, b, start):
    product = (a * b).reshape(int(np.prod(a.shape[:-1])), a.shape[-1])
    total = np.sum(np.ascontiguousarray(product.T), axis=-1)
    return total if start is None else start + total


@plant("the last position that reads a row wins", "embedding_gradient")
@plant("the last position that reads a row wins, in the meaning", "embedding_gradient", "bound")
def _(ids, dout, start, rows):
    out = np.zeros((rows, dout.shape[-1]), dout.dtype) if start is None else start.copy()
    out[ids] += dout
    return out


@plant("the start forgotten", "embedding_gradient")
def _(ids, dout, start, rows):
    return meaning("embedding_gradient")(ids, dout, rows=rows)


@plant("a total with an exact sum", "total")
def _(x, start):
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    return (np.sum(x, dtype=wide) + (0 if start is None else start)).astype(x.dtype)


@plant("a sum of squares of the mean", "row_squares", "bound")
def _(x):
    return accumulate(x) * accumulate(x)


# ---- rows ----------------------------------------------------------------------------------------------------------


@plant("what the other shares lose forgotten", "softmax_gradient")
@plant("what the other shares lose forgotten, in the meaning", "softmax_gradient", "bound")
def _(p, dout):
    return p * dout


@plant("a mean without weights", "softmax_gradient")
def _(p, dout):
    return p * (dout - accumulate(dout)[..., None] / p.dtype.type(max(1, p.shape[-1])))


@plant("masked keys in the sum", "causal_softmax_gradient")
@plant("masked keys in the sum, in the meaning", "causal_softmax_gradient", "bound")
def _(p, dout):
    seen = np.tri(*p.shape[-2:], p.shape[-1] - p.shape[-2], dtype=bool)
    return np.where(seen, meaning("softmax_gradient")(p, dout), p.dtype.type(0))


def layer_norm_gradient(x, dout, gain, epsilon, parts="ab", count=None):
    count = x.dtype.type(x.shape[-1] if count is None else count)
    d = x - (accumulate(x) / x.dtype.type(x.shape[-1]))[..., None]
    root = np.sqrt((accumulate(d * d) / x.dtype.type(x.shape[-1]))[..., None] + x.dtype.type(epsilon))
    n, e = d / root, dout * gain
    a, b = (accumulate(e) / count)[..., None], (accumulate(e * n) / count)[..., None]
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
    return x - (accumulate(x) / x.dtype.type(x.shape[-1]))[..., None]


@plant("the target shifted by one", "cross_entropy")
@plant("the target shifted by one, in the meaning", "cross_entropy", "bound")
def _(x, target):
    return meaning("cross_entropy")(x, np.maximum(target - 1, 0))


@plant("the maximum not added back", "cross_entropy")
def _(x, target):
    return meaning("cross_entropy")(x, target) - np.max(x, axis=-1, initial=-np.inf)


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


@plant("places counted from 0", "positions")
def _(x, first, count):
    return meaning("positions")(x, first=0, count=count)


@plant("dealt out instead of repeated", "spread", "bound")
def _(x, like):
    return meaning("spread")(x, like) / x.dtype.type(max(1, like.size))


# ---- explanations and promises -------------------------------------------------------------------------------------


TRUE = {name: OPS[name].explain for name in ("row_sum", "embedding_gradient", "cross_entropy_gradient")}


@plant("no start explained", "row_sum", "explain")
def _(w):
    w.has = lambda name: False
    TRUE["row_sum"](w)


@plant("all positions explained", "embedding_gradient", "explain")
def _(w):
    shape = w.input("ids").shape
    if len(shape) == 1:
        w.sum("out", w.input("dout")[np.arange(shape[0]), w.index[1]])
    else:
        TRUE["embedding_gradient"](w)


@plant("1 not taken off at the target", "cross_entropy_gradient", "explain")
def _(w):
    w.subtract = lambda name, a, b, subtract=w.subtract: a if name.startswith("share") else subtract(name, a, b)
    TRUE["cross_entropy_gradient"](w)


@plant("rows counted from the end", "embedding_gradient", "refusals", whole=True)
def _(ids, dout, start, *, rows, empty=np.empty):
    ids = np.asarray(ids % rows) if ids.dtype == np.int64 and rows > 0 else ids
    return OPS["embedding_gradient"].forward(ids, dout, start, rows=rows, empty=empty)


@plant("a target beyond the row taken for the last", "cross_entropy", "refusals", whole=True)
def _(x, target, *, empty=np.empty):
    target = np.minimum(target, x.shape[-1] - 1) if target.dtype == np.int64 else target
    return OPS["cross_entropy"].forward(x, target, empty=empty)


@plant("positions that are cut off in silence", "positions", "refusals", whole=True)
def _(x, *, first, count, empty=np.empty):
    count = min(count, x.shape[-2] - first) if x.ndim > 1 else count
    return OPS["positions"].forward(x, first=first, count=count, empty=empty)


@plant("a start of another shape spread out", "outer_sum", "refusals", whole=True)
def _(a, b, start, *, empty=np.empty):
    if start is not None and start.dtype == a.dtype and start.ndim == 3 and len(start) == 1:
        start = start[0].copy()
    return OPS["outer_sum"].forward(a, b, start, empty=empty)
