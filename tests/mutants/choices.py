"""What chooses a token: divisions, rows, filters, running totals."""

import numpy as np

from llmtrace.ops import OPS
from llmtrace.ops.sampling.top_k import ranking
from mutants import meaning, plant


@plant("times 1 / divisor", "divide_by")
def _(x, divisor):
    return x * (x.dtype.type(1) / x.dtype.type(divisor))


@plant("a divisor that is not rounded first", "divide_by")
def _(x, divisor):
    return (x.astype(np.longdouble) / np.longdouble(divisor)).astype(x.dtype)


@plant("a product instead of a quotient, in the meaning", "divide_by", "bound")
def _(x, divisor):
    return meaning("scale")(x, factor=divisor)


@plant("the row before the right one", "select")
@plant("the row before the right one, in the meaning", "select", "bound")
def _(index, x):
    return meaning("select")(np.maximum(index - 1, 0), x)


@plant("the first row of all", "select", "explain")
def _(w):
    *lead, feature = w.index
    w.look_up("out", w["index"][tuple(lead)], w["x"][(*lead, 0, feature)])


@plant("a row counted from the end", "select", "refusals", whole=True)
def _(index, x, *, empty=np.empty):
    if index.dtype == np.int64 and x.ndim >= 2 and x.shape[-2]:
        index = np.where(index == -1, x.shape[-2] - 1, index)
    return OPS["select"].forward(index, x, empty=empty)


def penalised(x, tokens, below, above):
    named = np.zeros(x.shape, bool)
    np.put_along_axis(named, tokens, True, -1)
    return np.where(named & (x > 0), above, np.where(named & (x <= 0), below, x))


@plant("negative scores divided, too", "repetition_penalty")
@plant("negative scores divided, too, in the meaning", "repetition_penalty", "bound")
def _(x, tokens, penalty):
    p = x.dtype.type(penalty)
    return penalised(x, tokens, x / p, x / p)


@plant("times 1 / penalty", "repetition_penalty")
def _(x, tokens, penalty):
    p = x.dtype.type(penalty)
    return penalised(x, tokens, x * p, x * (x.dtype.type(1) / p))


@plant("once for each time that a token came", "repetition_penalty")
def _(x, tokens, penalty):
    for place in range(tokens.shape[-1]):
        x = meaning("repetition_penalty")(x, tokens[..., place : place + 1], penalty=penalty)
    return x


@plant("every token taken as one that came", "repetition_penalty", "explain")
def _(w):
    x, p = w["x"][w.index], w.constant(w.settings["penalty"], "penalty")
    w.above("out", x, w.constant(0, "0"), w.divide("divided", x, p), w.multiply("multiplied", x, p))


@plant("a token counted from the end", "repetition_penalty", "refusals", whole=True)
def _(x, tokens, *, penalty, empty=np.empty):
    if tokens.dtype == np.int64 and x.ndim and x.shape[-1]:
        tokens = np.where(tokens == -1, x.shape[-1] - 1, tokens)
    return OPS["repetition_penalty"].forward(x, tokens, penalty=penalty, empty=empty)


@plant("all that equal the k-th kept", "top_k")
def _(x, k):
    if not x.shape[-1]:
        return x
    least = np.take_along_axis(x, ranking(x)[..., min(k, x.shape[-1]) - 1, None], -1)
    return np.where((x >= least) | np.isnan(x), x, x.dtype.type(-np.inf))


@plant("one too many kept", "top_k")
@plant("one too many kept, in the meaning", "top_k", "bound")
def _(x, k):
    return meaning("top_k")(x, k=k + 1)


@plant("the last of equals kept", "top_k")
def _(x, k):
    return meaning("top_k")(x[..., ::-1], k=k)[..., ::-1]


@plant("NaN taken for the smallest", "top_k")
def _(x, k):
    return np.where(np.isnan(x), x.dtype.type(-np.inf), meaning("top_k")(np.where(np.isnan(x), -np.inf, x), k=k))


@plant("k = 0 taken for k = 1", "top_k", "refusals", whole=True)
def _(x, *, k, empty=np.empty):
    return OPS["top_k"].forward(x, k=max(1, k), empty=empty)


@plant("all explained as kept", "top_k", "explain")
def _(w):
    w.take("out", w["x"][w.index])


def nucleus(x, p, order, before):
    shares = np.take_along_axis(meaning("softmax")(x), order, -1)
    totals = np.add.accumulate(shares, axis=-1)
    totals = np.concatenate([np.zeros_like(totals[..., :1]), totals[..., :-1]], -1) if before else totals
    out = np.empty_like(x)
    kept = np.where(totals >= x.dtype.type(p), x.dtype.type(-np.inf), np.take_along_axis(x, order, -1))
    np.put_along_axis(out, order, kept, -1)
    return out


@plant("the token that reaches p left out", "top_p")
@plant("the token that reaches p left out, in the meaning", "top_p", "bound")
def _(x, p):
    return nucleus(x, p, ranking(x), before=False)


@plant("added up by place, not from the likeliest on", "top_p")
@plant("added up by place, in the meaning", "top_p", "bound")
def _(x, p):
    return nucleus(x, p, np.broadcast_to(np.arange(x.shape[-1]), x.shape), before=True)


@plant("the shares of the larger ones forgotten", "top_p", "explain")
def _(w):
    w.keep("out", w["x"][w.index], w.constant(0, "0"), w.constant(w.settings["p"], "p"))


@plant("the largest instead of the drawn one", "sample")
@plant("the largest instead of the drawn one, in the meaning", "sample", "bound")
def _(probabilities, number):
    return np.argmax(probabilities, axis=-1)


@plant("the number against a total of 1", "sample")
def _(probabilities, number):
    totals = np.cumsum(probabilities, axis=-1, dtype=probabilities.dtype)
    return np.minimum(np.sum(~(totals > number[..., None]), axis=-1), probabilities.shape[-1] - 1)


@plant("the first total that is not below", "sample")
def _(probabilities, number):
    totals = np.cumsum(probabilities, axis=-1, dtype=probabilities.dtype)
    reached = totals >= (number * totals[..., -1])[..., None]
    return np.where(reached.any(-1), reached.argmax(-1), meaning("sample")(probabilities, number))


@plant("a limit without the whole total", "sample", "explain")
def _(w):
    w.first_above("out", w["probabilities"][(*w.index, slice(None))], w["number"][w.index])
