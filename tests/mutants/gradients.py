"""Wrong `backward`s: each step's part of the chain rule, with the mistakes that one makes by hand."""

from dataclasses import replace

import numpy as np

from llmtrace.ops import OPS
from llmtrace.ops.op import ordered_sum
from mutants import compiled, meaning, plant
from mutants.backward import back, layer_norm_gradient


def wrong(op, function):
    """An op that does something else."""
    return replace(OPS[op], forward=compiled(OPS[op], function))


def interleaved(x, heads):
    return np.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // heads, heads), -1, -3)


# ---- attention -----------------------------------------------------------------------------------------------------


@plant("1/√D missing", "attention_scores", "backward")
def _(g):
    g.accumulate("q", OPS["attention_mix"], g.dout, g["k"])
    g.accumulate("k", OPS["attention_back"], g.dout, g["q"])


@plant("a query that sees one key too many", "attention_scores", "backward")
def _(g):
    factor = 1 / np.sqrt(max(1, g["q"].data.shape[-1]))
    shifted = wrong("attention_back", lambda pattern, x: back(pattern, x, 1))
    g.accumulate("q", OPS["scale"], g.do("q.sum", OPS["attention_mix"], g.dout, g["k"]), factor=factor)
    g.accumulate("k", OPS["scale"], g.do("k.sum", shifted, g.dout, g["q"]), factor=factor)


@plant("1/√D missing", "full_scores", "backward")
def _(g):
    g.accumulate("q", OPS["full_mix"], g.dout, g["k"])
    g.accumulate("k", OPS["full_back"], g.dout, g["q"])


@plant("the pattern's gradient for the pattern", "full_mix", "backward")
def _(g):
    dpattern = g.do("pattern.sum", OPS["full_products"], g.dout, g["v"])
    g.accumulate("pattern", OPS["full_products"], g.dout, g["v"])
    g.accumulate("v", OPS["full_back"], dpattern, g.dout)


@plant("the other rows' gradient made with the wrong rows", "full_products", "backward")
def _(g):
    g.accumulate("a", OPS["full_mix"], g.dout, g["b"])
    g.accumulate("b", OPS["full_back"], g.dout, g.do("a.sum", OPS["full_mix"], g.dout, g["b"]))


@plant("masked keys given a share of the gradient", "attention_mix", "backward")
def _(g):
    g.accumulate("pattern", wrong("attention_products", lambda a, b: a @ np.swapaxes(b, -1, -2)), g.dout, g["v"])
    g.accumulate("v", OPS["attention_back"], g["pattern"], g.dout)


@plant("what the other shares lose forgotten", "softmax", "backward")
@plant("what the other shares lose forgotten", "causal_softmax", "backward")
def _(g):
    g.accumulate("x", OPS["multiply"], g.out, g.dout)


# ---- linear layers and heads ---------------------------------------------------------------------------------------


@plant("the weight not turned", "linear", "backward")
def _(g):
    turned, (inputs, outputs) = g.settings["transposed"], g["weight"].data.shape
    g.accumulate("x", OPS["linear"], g.dout, g["weight"], None, transposed=turned if inputs == outputs else not turned)
    g.accumulate("weight", OPS["sum_outer_products"], *((g.dout, g["x"]) if turned else (g["x"], g.dout)))
    g.accumulate("bias", OPS["sum_positions"], g.dout)


@plant("the weight's gradient turned", "linear", "backward")
def _(g):
    turned, (inputs, outputs) = g.settings["transposed"], g["weight"].data.shape
    g.accumulate("x", OPS["linear"], g.dout, g["weight"], None, transposed=not turned)
    swapped = turned if inputs != outputs else not turned
    g.accumulate("weight", OPS["sum_outer_products"], *((g.dout, g["x"]) if swapped else (g["x"], g.dout)))
    g.accumulate("bias", OPS["sum_positions"], g.dout)


@plant("the bias summed over the wrong axis", "linear", "backward")
def _(g):
    def along_features(x, initial):
        return np.resize(ordered_sum(x), x.shape[-1:])

    turned = g.settings["transposed"]
    g.accumulate("x", OPS["linear"], g.dout, g["weight"], None, transposed=not turned)
    g.accumulate("weight", OPS["sum_outer_products"], *((g.dout, g["x"]) if turned else (g["x"], g.dout)))
    g.accumulate("bias", wrong("sum_positions", along_features), g.dout)


@plant("the bias forgotten", "linear_to_heads", "backward")
def _(g):
    dout = g.do("merged", OPS["merge_heads"], g.dout)
    g.accumulate("x", OPS["linear"], dout, g["weight"], None, transposed=True)
    g.accumulate("weight", OPS["sum_outer_products"], g["x"], dout)


@plant("heads interleaved", "linear_from_heads", "backward")
def _(g):
    beside = g.do("beside", OPS["linear"], g.dout, g["weight"], None, transposed=True)
    g.accumulate("x", wrong("split_heads", interleaved), beside, heads=g["x"].data.shape[-3])
    g.accumulate("weight", OPS["sum_outer_products"], g.do("merged", OPS["merge_heads"], g["x"]), g.dout)
    g.accumulate("bias", OPS["sum_positions"], g.dout)


@plant("heads interleaved", "merge_heads", "backward")
def _(g):
    g.accumulate("x", wrong("split_heads", interleaved), g.dout, heads=g["x"].data.shape[-3])


@plant("the new rows taken for the first", "concatenate", "backward")
def _(g):
    g.accumulate("past", OPS["slice_positions"], g.dout, first=0, count=g["past"].data.shape[-2])
    g.accumulate("new", OPS["slice_positions"], g.dout, first=0, count=g["new"].data.shape[-2])


# ---- rows and tables -----------------------------------------------------------------------------------------------


def layer_norm(g, x=None, gain=None):
    epsilon = g.settings["epsilon"]
    g.accumulate("x", x or OPS["layer_norm_gradient"], g["x"], g.dout, g["gain"], epsilon=epsilon)
    g.accumulate(
        "gain", OPS["sum_products"], g.dout, gain or g.do("normalised", OPS["normalise"], g["x"], epsilon=epsilon)
    )
    g.accumulate("bias", OPS["sum_positions"], g.dout)


@plant("the mean taken for a constant", "layer_norm", "backward")
def _(g):
    layer_norm(g, wrong("layer_norm_gradient", lambda *a, epsilon: layer_norm_gradient(*a, epsilon, "b")))


@plant("the spread taken for a constant", "layer_norm", "backward")
def _(g):
    layer_norm(g, wrong("layer_norm_gradient", lambda *a, epsilon: layer_norm_gradient(*a, epsilon, "a")))


@plant("the gain's gradient by what is not yet normalised", "layer_norm", "backward")
def _(g):
    layer_norm(g, gain=g["x"])


@plant("the last position that reads a row wins", "embedding", "backward")
def _(g):
    def overwritten(ids, dout, initial, rows):
        out = np.zeros((rows, dout.shape[-1]), dout.dtype)
        out[ids] = dout
        return out

    rows = g["weight"].data.shape[0]
    g.accumulate("weight", wrong("embedding_gradient", overwritten), g["ids"], g.dout, rows=rows)


@plant("the target shifted by one", "cross_entropy", "backward")
def _(g):
    shifted = g["target"]._replace(data=np.asarray(np.maximum(g["target"].data - 1, 0)))
    g.accumulate("x", OPS["cross_entropy_gradient"], g["x"], shifted, g.dout)


@plant("the target left out", "cross_entropy", "backward")
def _(g):
    shares = wrong("cross_entropy_gradient", lambda x, target, dout: meaning("softmax")(x) * dout[..., None])
    g.accumulate("x", shares, g["x"], g["target"], g.dout)


@plant("the initial value forgotten", "sum_all", "backward")
def _(g):
    g.accumulate("x", OPS["broadcast"], g.dout, g["x"])


@plant("a mean instead of a sum", "sum_all", "backward")
def _(g):
    g.accumulate("x", wrong("broadcast", lambda x, like: np.full_like(like, x / max(1, like.size))), g.dout, g["x"])
    g.pass_on("initial")


# ---- element by element --------------------------------------------------------------------------------------------


@plant("the gradient to one input only", "add", "backward")
def _(g):
    g.pass_on("a")


@plant("the minus forgotten", "subtract", "backward")
def _(g):
    g.pass_on("a", "b")


@plant("its own factor instead of the other", "multiply", "backward")
def _(g):
    g.accumulate("a", OPS["multiply"], g.dout, g["a"])
    g.accumulate("b", OPS["multiply"], g.dout, g["b"])


@plant("one gradient only if the other is asked for, too", "multiply", "backward")
def _(g):
    g.accumulate("a", OPS["multiply"], g.dout, g["b"])
    if g.wants("a"):
        g.accumulate("b", OPS["multiply"], g.dout, g["a"])


@plant("the minus forgotten", "divide", "backward")
def _(g):
    g.accumulate("a", OPS["divide"], g.dout, g["b"])
    g.accumulate("b", OPS["multiply"], g.dout, g.do("share", OPS["divide"], g.out, g["b"]))


@plant("the factor taken for a constant", "multiply_scalar", "backward")
def _(g):
    g.accumulate("x", OPS["multiply_scalar"], g.dout, g["factor"])


@plant("multiplied instead of divided", "divide_by", "backward")
def _(g):
    g.accumulate("x", OPS["scale"], g.dout, factor=g.settings["divisor"])


@plant("dropout that does not make up for what it drops", "dropout", "backward")
def _(g):
    rate = g.settings["rate"]
    g.accumulate("x", OPS["scale"], g.do("dropped", OPS["dropout"], g.dout, **g.settings), factor=1 - rate)


@plant("other numbers dropped on the way back", "dropout", "backward")
def _(g):
    g.accumulate("x", OPS["dropout"], g.dout, **{**g.settings, "first": 0 if g.settings["first"] else 1})


@plant("a ReLU that lets everything through", "relu", "backward")
def _(g):
    g.pass_on("x")


@plant("the slope of the other GELU", "gelu_tanh", "backward")
def _(g):
    g.accumulate("x", OPS["gelu_erf_gradient"], g["x"], g.dout)


@plant("the slope of the cosine", "sin", "backward")
def _(g):
    g.accumulate("x", OPS["cos_gradient"], g["x"], g.dout)


@plant("the slope at the result instead of at x", "cos", "backward")
def _(g):
    g.accumulate("x", OPS["cos_gradient"], g.out, g.dout)


@plant("the slope at x instead of at the result", "sigmoid", "backward")
def _(g):
    g.accumulate("x", OPS["sigmoid_gradient"], g["x"], g.dout)


@plant("the 2 of a root forgotten", "sqrt", "backward")
def _(g):
    g.accumulate("x", OPS["divide"], g.dout, g.out)


@plant("both sides pulled the same way", "squared_error", "backward")
def _(g):
    g.accumulate("a", OPS["squared_error_gradient"], g["a"], g["b"], g.dout)
    g.accumulate("b", OPS["squared_error_gradient"], g["a"], g["b"], g.dout)
