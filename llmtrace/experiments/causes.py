"""What makes the numbers of an op others than they are here: other orders of adding, other formulas, other types, other inputs.

A cause computes the op in another way, in plain NumPy. `FORMULAS` change what is computed; `ROUNDINGS` only how it is rounded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.experiments.casts import TYPES
from llmtrace.experiments.orders import FUSED, LAYER, NORM, mix_fused, norm_in_lanes, product, scores_fused
from llmtrace.experiments.situation import Cause, Situation
from llmtrace.i18n import N_
from llmtrace.ops import OPS

# ---- linear layers ---------------------------------------------------------------------------------------------------


def _linear(s: Situation, product: Callable[[Array, Array], Array]) -> Array:
    x, weight, bias = s.matrix()
    out = product(x, weight)
    return s.laid_out(out if bias is None else out + bias)


def _blas(s: Situation) -> Array:
    return _linear(s, np.matmul)


def _wide(s: Situation) -> Array:
    x, weight, bias = s.matrix()
    out = x.astype(np.float64) @ weight.astype(np.float64)
    return s.laid_out((out if bias is None else out + bias).astype(x.dtype))


def _in_order(
    x: Array, weight: Array, places: range, step: Callable[[Array, Array, Array], Array], start: Array
) -> Array:
    total = start
    for k in places:
        total = step(total, x[..., k, None], weight[k])
    return total


def _plain(total: Array, a: Array, b: Array) -> Array:
    return total + a * b


def _zeros(x: Array, weight: Array) -> Array:
    return np.zeros((*x.shape[:-1], weight.shape[1]), x.dtype)


def _backward(s: Situation) -> Array:
    return _linear(s, lambda x, w: _in_order(x, w, range(len(w))[::-1], _plain, _zeros(x, w)))


def _with_fma(s: Situation) -> Array:
    return _linear(s, lambda x, w: product(x, w, [0, len(w)]))


def _bias_first(s: Situation) -> Array | None:
    x, weight, bias = s.matrix()
    if bias is None:
        return None
    start = np.broadcast_to(bias, (*x.shape[:-1], len(bias))).astype(x.dtype)
    return s.laid_out(_in_order(x, weight, range(len(weight)), _plain, start))


def _without_bias(s: Situation) -> Array | None:
    return s.done(bias=None) if s.operands.get("bias") is not None else None


def _transposed(s: Situation) -> Array | None:
    weight = s["weight"]
    return s.done(weight=weight.T) if weight.shape[0] == weight.shape[1] else None


def _of_another(index: int) -> Cause:
    """With the weights of a step beside it: q, k and v taken for each other."""

    def cause(s: Situation) -> Array | None:
        found = list(s.others.values())
        return s.done(**found[index]) if len(found) > index else None

    return cause


def _interleaved(s: Situation) -> Array | None:
    """Features of a head apart: column d·H + h is feature d of head h."""
    if s.op != "linear_to_heads":
        return None
    out = np.moveaxis(s.done(), -3, -2)
    flat = out.reshape(*out.shape[:-2], -1)
    return np.moveaxis(flat.reshape(*flat.shape[:-1], -1, s.settings["heads"]), -1, -3)


def _heads_reversed(s: Situation) -> Array | None:
    return s.done(x=s["x"][..., ::-1, :, :]) if s.op == "linear_from_heads" else None


# ---- norms -----------------------------------------------------------------------------------------------------------


def _norm(
    s: Situation, root: Callable[[Array, Array], Array], mean: bool = True, affine: bool = True, wide: bool = False
) -> Array:
    x = s["x"].astype(np.float64 if wide else s["x"].dtype)
    d = x - x.mean(-1, keepdims=True) if mean else x
    variance = (d * d).mean(-1, keepdims=True)
    out = d / root(variance, d)
    return (out * s["gain"] + s["bias"] if affine else out).astype(s["x"].dtype)


def _epsilon(value: float) -> Cause:
    return lambda s: s.done(epsilon=value) if s.settings["epsilon"] != value else None


NORMS: dict[str, Cause] = {
    N_("ε added outside of the root"): lambda s: _norm(s, lambda v, d: np.sqrt(v) + np.float32(s.settings["epsilon"])),
    N_("ε is 0"): _epsilon(0.0),
    N_("ε is 1e-5"): _epsilon(1e-5),
    N_("ε is 1e-6"): _epsilon(1e-6),
    N_("ε is 1e-12"): _epsilon(1e-12),
    N_("the variance divided by C − 1"): lambda s: _norm(
        s, lambda v, d: np.sqrt(v * d.shape[-1] / max(1, d.shape[-1] - 1) + np.float32(s.settings["epsilon"]))
    ),
    N_("the mean not taken off (RMS norm)"): lambda s: _norm(
        s, lambda v, d: np.sqrt(v + np.float32(s.settings["epsilon"])), mean=False
    ),
    N_("gain and bias left out, as where they are folded into the next layer"): lambda s: _norm(
        s, lambda v, d: np.sqrt(v + np.float32(s.settings["epsilon"])), affine=False
    ),
    N_("the bias left out"): lambda s: s.done(bias=np.zeros_like(s["bias"])),
    N_("the gain left out"): lambda s: s.done(gain=np.ones_like(s["gain"])),
    N_("not normalised at all"): lambda s: s["x"],
}

# ---- the other ops ---------------------------------------------------------------------------------------------------


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


ACTIVATIONS: dict[str, Cause] = {
    N_("the erf form of GELU"): lambda s: OPS["gelu_erf"].forward(s["x"]) if s.op != "gelu_erf" else None,
    N_("the tanh form of GELU"): lambda s: OPS["gelu_tanh"].forward(s["x"]) if s.op != "gelu_tanh" else None,
    N_("GELU as x · sigmoid(1.702·x)"): lambda s: s["x"] * _sigmoid(np.float32(1.702) * s["x"]),
    N_("ReLU instead of GELU"): lambda s: np.maximum(s["x"], 0) if s.op != "relu" else None,
    N_("SiLU instead of GELU"): lambda s: OPS["silu"].forward(s["x"]),
    N_("no activation function"): lambda s: s["x"],
}


def _unmasked(s: Situation, scale: float, offset: int = 0, masked: float = -np.inf) -> Array:
    """Scores times `scale`, of the keys up to `offset` behind the query."""
    out = np.matmul(s["q"], np.moveaxis(s["k"], -1, -2)) * np.float32(scale)
    past = out.shape[-1] - out.shape[-2]
    seen = np.arange(out.shape[-1]) <= np.arange(out.shape[-2])[:, None] + past + offset
    return np.where(seen, out, np.float32(masked))


def _root(s: Situation) -> float:
    return float(s["q"].shape[-1]) ** 0.5


SCORES: dict[str, Cause] = {
    N_("not divided by √D"): lambda s: _unmasked(s, 1.0),
    N_("divided by D instead of √D"): lambda s: _unmasked(s, 1 / s["q"].shape[-1]),
    N_("multiplied by √D"): lambda s: _unmasked(s, _root(s)),
    N_("the mask lets one later key through"): lambda s: _unmasked(s, 1 / _root(s), 1),
    N_("the mask hides the query's own key"): lambda s: _unmasked(s, 1 / _root(s), -1),
    N_("no mask"): lambda s: _unmasked(s, 1 / _root(s), s["k"].shape[-2]),
    N_("masked scores are −10,000 instead of −∞"): lambda s: _unmasked(s, 1 / _root(s), masked=-1e4),
    N_("masked scores are the smallest float32 instead of −∞"): lambda s: _unmasked(
        s, 1 / _root(s), masked=float(np.finfo("f4").min)
    ),
    N_("masked scores are 0 instead of −∞"): lambda s: _unmasked(s, 1 / _root(s), masked=0.0),
    N_("q and k taken for each other"): lambda s: s.done(q=s["k"], k=s["q"]) if s["q"].shape == s["k"].shape else None,
}


def _shares(x: Array, axis: int = -1, base: float = np.e) -> Array:
    with np.errstate(all="ignore"):
        e = np.exp((x - x.max(axis, keepdims=True)) * np.float32(np.log(base)))
        return e / e.sum(axis, keepdims=True)


SHARES: dict[str, Cause] = {
    N_("softmax along the queries instead of the keys"): lambda s: np.nan_to_num(_shares(s["x"], -2)),
    N_("powers of 2 instead of e"): lambda s: _shares(s["x"], base=2.0),
    N_("not made into shares"): lambda s: np.where(np.isfinite(s["x"]), s["x"], 0),
    N_("shares before the division"): lambda s: np.exp(s["x"] - s["x"].max(-1, keepdims=True)),
    N_("one more in the sum, so that a head can look at nothing"): lambda s: _off_by_one(s["x"]),
}


def _off_by_one(x: Array) -> Array:
    top = x.max(-1, keepdims=True)
    e = np.exp(x - top)
    return e / (np.exp(-top) + e.sum(-1, keepdims=True))


MIXES: dict[str, Cause] = {
    N_("the pattern transposed"): lambda s: (
        np.matmul(np.moveaxis(s["pattern"], -1, -2), s["v"])
        if s["pattern"].shape[-1] == s["pattern"].shape[-2]
        else None
    ),
    N_("the heads in reversed order"): lambda s: (
        np.matmul(s["pattern"], s["v"][..., ::-1, :, :]) if s["v"].ndim > 2 else None
    ),
    N_("the mean of the values, whatever the pattern"): lambda s: np.broadcast_to(
        s["v"].mean(-2, keepdims=True), (*s["pattern"].shape[:-1], s["v"].shape[-1])
    ),
}


def _other_rows(offset: int) -> Cause:
    def cause(s: Situation) -> Array | None:
        ids = s["ids"] + offset
        return s["weight"][np.clip(ids, 0, len(s["weight"]) - 1)] if (ids < len(s["weight"])).any() else None

    return cause


TABLES: dict[str, Cause] = {
    N_("ids, or places, one too large"): _other_rows(1),
    N_("ids, or places, one too small"): _other_rows(-1),
    N_("places counted from 2, as in OPT"): _other_rows(2),
    N_("one row for all places"): lambda s: np.broadcast_to(s["weight"][0], (*s["ids"].shape, s["weight"].shape[1])),
    N_("times the root of the width, as in the Transformer of 2017"): lambda s: (
        s["weight"][s["ids"]] * np.float32(s["weight"].shape[1] ** 0.5)
    ),
}

SUMS: dict[str, Cause] = {
    N_("only what was added: the residual stream is left out"): lambda s: s["b"],
    N_("nothing was added"): lambda s: s["a"],
    N_("subtracted instead of added"): lambda s: s["a"] - s["b"],
    N_("added twice"): lambda s: (s["a"] + s["b"]) + s["b"],
    N_("half of it added"): lambda s: s["a"] + s["b"] / 2,
}

WITHOUT_BIAS = N_("the bias left out")
LINEAR: dict[str, Cause] = {
    WITHOUT_BIAS: _without_bias,
    N_("the weight transposed"): _transposed,
    N_("the weights of the first step beside it (q, k and v taken for each other)"): _of_another(0),
    N_("the weights of the second step beside it (q, k and v taken for each other)"): _of_another(1),
    N_("features of the heads interleaved"): _interleaved,
    N_("the heads in reversed order"): _heads_reversed,
}


FORMULAS: dict[str, dict[str, Cause]] = {
    "linear": LINEAR,
    "linear_to_heads": LINEAR,
    "linear_from_heads": LINEAR,
    "layer_norm": NORMS,
    **dict.fromkeys(("gelu_tanh", "gelu_erf", "relu"), ACTIVATIONS),
    "attention_scores": SCORES,
    "causal_softmax": SHARES,
    "softmax": SHARES,
    "attention_mix": MIXES,
    "embedding": TABLES,
    "add": SUMS,
}
"""What can be computed otherwise, by op; other types (`llmtrace.experiments.casts`) are tried for all."""

WIDE = N_("sums kept in float64, rounded once")
_IN_ORDER: dict[str, Cause] = {
    FUSED: _with_fma,
    N_("added from the last to the first"): _backward,
    N_("the bias added first"): _bias_first,
    **LAYER,
}
_LAYER: dict[str, Cause] = {
    **_IN_ORDER,
    WIDE: _wide,
    N_("the order of adding of this machine's BLAS"): _blas,
}


def _exp_of_numpy(s: Situation) -> Array:
    return _shares(s["x"])


def _tanh_of_numpy(s: Situation) -> Array:
    x, c = s["x"], np.float32
    return (c(0.5) * x) * (1 + np.tanh(c(0.7978845608028654) * (x + c(0.044715) * ((x * x) * x))))


ROUNDINGS: dict[str, dict[str, Cause]] = {
    **dict.fromkeys(("linear", "linear_to_heads", "linear_from_heads"), _LAYER),
    "layer_norm": {
        N_("sums kept in float64, rounded once"): lambda s: _norm(
            s, lambda v, d: np.sqrt(v + s.settings["epsilon"]), wide=True
        ),
        N_("NumPy's order of adding (in pairs)"): lambda s: _norm(
            s, lambda v, d: np.sqrt(v + np.float32(s.settings["epsilon"]))
        ),
        NORM: norm_in_lanes,
    },
    "gelu_tanh": {N_("NumPy's tanh"): _tanh_of_numpy},
    "causal_softmax": {N_("NumPy's exponential and order of adding"): _exp_of_numpy},
    "softmax": {N_("NumPy's exponential and order of adding"): _exp_of_numpy},
    "attention_scores": {
        N_("the order of adding of this machine's BLAS"): lambda s: _unmasked(s, 1 / _root(s)),
        FUSED: scores_fused,
        N_("q divided by √D before the sum"): lambda s: s.done(q=s["q"] / np.float32(_root(s))) * np.float32(_root(s)),
    },
    "attention_mix": {
        N_("the order of adding of this machine's BLAS"): lambda s: np.matmul(s["pattern"], s["v"]),
        FUSED: mix_fused,
    },
}
"""What changes only the last digits."""

BY_NUMBER = frozenset([*_IN_ORDER, *TYPES, WITHOUT_BIAS, WIDE])
"""Of a linear layer, what gives a row and a column the same bits without the others: it may be tried on a few of them."""
