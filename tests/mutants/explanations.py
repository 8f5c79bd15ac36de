"""Explanations that tell another story than what happened."""

from dataclasses import replace

import numpy as np

from llmtrace.ops import OPS
from llmtrace.ops.linear.linear import explain_output
from mutants import plant


def dot_with_bias(w, order):
    """The working of a linear layer over the terms in another order, or some of them."""
    *row, column = w.index
    whole = w["x"][(*row, slice(None))]
    order = np.asarray(order(whole.values), int)
    x = w["x"][(*row, order)]
    weight = w["weight"][(column, order) if w.settings["transposed"] else (order, column)]
    total = w.dot("sum", x, weight)
    if w.has("bias"):
        w.add("out", total, w["bias"][column])


@plant("terms from last to first", "linear", "explain")
def _(w):
    dot_with_bias(w, lambda x: np.arange(len(x))[::-1])


@plant("terms by their size", "linear", "explain")
def _(w):
    dot_with_bias(w, lambda x: np.argsort(-np.abs(x), kind="stable"))


@plant("the smallest terms left out", "linear", "explain")
def _(w):
    dot_with_bias(w, lambda x: np.sort(np.argsort(-np.abs(x), kind="stable")[: max(1, len(x) - 2)]))


@plant("no bias explained", "linear", "explain")
def _(w):
    *row, column = w.index
    x = w["x"][(*row, slice(None))]
    weight = w["weight"][(column, slice(None)) if w.settings["transposed"] else (slice(None), column)]
    w.dot("out", x, weight)


@plant("a weight read along the wrong axis", "linear", "explain")
def _(w):
    *row, column = w.index
    w.settings = {**w.settings, "transposed": not w.settings["transposed"]}
    shape = w["weight"].shape
    if shape[0] != shape[1]:
        w.settings = {**w.settings, "transposed": not w.settings["transposed"]}
    explain_output(w, w["x"][(*row, slice(None))], column)


@plant("numbers of an earlier run", "relu", "explain")
def _(w):
    x = w["x"][w.index]
    w.relu("out", replace(x, values=np.where(x.values < 0, x.values - x.values.dtype.type(1), x.values)))


@plant("the neighbour's address", "add", "explain")
def _(w):
    a, b = w["a"][w.index], w["b"][w.index]
    moved = tuple((i + 1) % size for i, size in zip(w.index, w.shape, strict=True))
    w.add("out", replace(a, index=moved), b)


@plant("a result that is only repeated", "multiply", "explain")
def _(w):
    w.take("out", w["a"][w.index])


@plant("a head's feature of another head", "linear_to_heads", "explain")
def _(w):
    *lead, head, position, feature = w.index
    heads = w.shape[-3]
    explain_output(w, w["x"][(*lead, position, slice(None))], feature * heads + head)


@plant("one key too few", "attention_mix", "explain")
def _(w):
    *lead, query, feature = w.index
    pattern, v = w["pattern"], w["v"]
    kept = pattern.shape[-1] - pattern.shape[-2] + query
    w.dot("out", pattern[(*lead, query, slice(kept))], v[(*lead, slice(kept), feature)])


@plant("one key too few", "full_mix", "explain")
def _(w):
    *lead, query, feature = w.index
    seen = slice(w["pattern"].shape[-1] - 1)
    w.dot("out", w["pattern"][(*lead, query, seen)], w["v"][(*lead, seen, feature)])


@plant("a masked score explained as a sum", "attention_scores", "explain")
def _(w):
    *lead, query, key = w.index
    q, k = w["q"], w["k"]
    total = w.dot("sum", q[(*lead, query, slice(None))], k[(*lead, key, slice(None))])
    w.divide("out", total, w.constant(np.sqrt(q.shape[-1]), "√D"))


@plant("a visible score explained as masked", "causal_softmax", "explain")
def _(w, right=OPS["causal_softmax"].explain):
    if w.index[-1] >= w.index[-2]:
        w.masked("out", 0.0)
    else:
        right(w)


@plant("softmax explained without its maximum", "softmax", "explain")
def _(w):
    *row, _own = w.index
    total = w.sum("sum", w.exp("exponential", w["x"][(*row, slice(None))]))
    w.divide("out", w.exp("own", w["x"][w.index]), total)


@plant("a number found in another row", "embedding", "explain")
def _(w):
    *place, feature = w.index
    row = w["ids"][tuple(place)]
    table = w["weight"]
    w.look_up("out", row, table[(int(row.values) + 1) % table.shape[0], feature])
