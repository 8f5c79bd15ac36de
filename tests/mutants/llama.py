"""RMS norm, rotary positions, shared heads."""

from dataclasses import replace

import numpy as np

from llmtrace.ops import OPS
from llmtrace.ops.op import ordered_sum
from mutants import compiled, meaning, plant


def rms_norm(x, gain, epsilon, mean=None, outside=False):
    real = x.dtype.type
    squares = ordered_sum(x * x) / real(x.shape[-1]) if mean is None else mean(x)
    root = np.sqrt(squares) + real(epsilon) if outside else np.sqrt(squares + real(epsilon))
    return (x / root[..., None]) * gain


@plant("ε outside the root", "rms_norm")
@plant("ε outside the root, in the meaning", "rms_norm", "bound")
def _(x, gain, epsilon):
    return rms_norm(x, gain, epsilon, outside=True)


@plant("the mean taken off, as in layer norm", "rms_norm")
@plant("the mean taken off, as in layer norm, in the meaning", "rms_norm", "bound")
def _(x, gain, epsilon):
    return rms_norm(x - (ordered_sum(x) / x.dtype.type(x.shape[-1]))[..., None], gain, epsilon)


@plant("the gain before the division", "rms_norm")
def _(x, gain, epsilon):
    return (x * gain) / (x / rms_norm(x, np.ones_like(gain), epsilon))


@plant("a pairwise mean of squares", "rms_norm")
@plant("a pairwise mean of squares, without the gain", "rms_scaled")
def _(x, gain=None, *, epsilon):
    gain = np.ones(x.shape[-1], x.dtype) if gain is None else gain
    return rms_norm(x, gain, epsilon, lambda x: np.sum(x * x, axis=-1) / x.dtype.type(x.shape[-1]))


@plant("the spread taken for a constant", "rms_norm_gradient")
@plant("the spread taken for a constant, in the meaning", "rms_norm_gradient", "bound")
def _(x, dout, gain, epsilon):
    return (dout * gain) / np.sqrt((ordered_sum(x * x) / x.dtype.type(x.shape[-1]))[..., None] + x.dtype.type(epsilon))


@plant("the gain's gradient by what is not yet scaled", "rms_norm", "backward")
def _(g):
    g.accumulate("x", OPS["rms_norm_gradient"], g["x"], g.dout, g["gain"], epsilon=g.settings["epsilon"])
    g.accumulate("gain", OPS["sum_products"], g.dout, g["x"])


@plant("turned the other way", "rotate")
@plant("turned the other way, in the meaning", "rotate", "bound")
def _(x, cosine, sine, interleaved):
    return meaning("rotate")(x, cosine, -sine, interleaved=interleaved)


@plant("the other layout", "rotate")
@plant("the other layout, in the meaning", "rotate", "bound")
def _(x, cosine, sine, interleaved):
    return meaning("rotate")(x, cosine, sine, interleaved=not interleaved)


@plant("every position turned like the first", "rotate")
def _(x, cosine, sine, interleaved):
    first = np.zeros(cosine.shape[-2], int)
    return meaning("rotate")(x, cosine[..., first, :], sine[..., first, :], interleaved=interleaved)


@plant("the gradient turned on instead of back", "rotate", "backward")
def _(g):
    g.accumulate("x", OPS["rotate"], g.dout, g["cosine"], g["sine"], interleaved=g.settings["interleaved"])


@plant("the other number of the pair explained", "rotate", "explain")
def _(w):
    *leading, _head, position, feature = w.index
    pairs = w["cosine"].shape[-1]
    pair = feature // 2 if w.settings["interleaved"] else feature % pairs
    a, cos = w["x"][w.index], w["cosine"][(*leading, position, pair)]
    w.subtract("out", w.multiply("a·cos", a, cos), w.multiply("b·sin", a, w["sine"][(*leading, position, pair)]))


@plant("a layout that is neither", "rotate", "refusals", whole=True)
def _(x, cosine, sine, *, interleaved, empty=np.empty):
    return OPS["rotate"].forward(x, cosine, sine, interleaved=bool(interleaved), empty=empty)


@plant("heads dealt out in turn", "repeat_heads")
@plant("heads dealt out in turn, in the meaning", "repeat_heads", "bound")
def _(x, copies):
    return np.concatenate([x] * copies, axis=-3)


def first_head(x, copies):
    return np.ascontiguousarray(x[..., ::copies, :, :])


FIRST_OF_EACH = replace(OPS["sum_heads"], forward=compiled(OPS["sum_heads"], first_head), meaning=first_head)


@plant("only the first copy's gradient", "repeat_heads", "backward")
def _(g):
    g.accumulate("x", FIRST_OF_EACH, g.dout, copies=g.settings["copies"])


@plant("heads of a group from last to first", "sum_heads")
def _(x, copies):
    *lead, heads, positions, features = x.shape
    groups = x.reshape(*lead, heads // copies, copies, positions, features)
    return meaning("sum_heads")(np.ascontiguousarray(groups[..., ::-1, :, :]).reshape(x.shape), copies=copies)


@plant("the heads that are a group apart added up", "sum_heads", "bound")
def _(x, copies):
    return ordered_sum(np.moveaxis(x.reshape(*x.shape[:-3], copies, -1, *x.shape[-2:]), -4, -1)) if x.size else x


@plant("one head too few explained", "sum_heads", "explain")
def _(w):
    *leading, head, position, feature = w.index
    copies = w.settings["copies"]
    w.sum("out", w["x"][(*leading, slice(head * copies, (head + 1) * copies - 1), position, feature)])
