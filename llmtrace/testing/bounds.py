"""The bound on the error of every op: its formula once more, in the arithmetic of `llmtrace.testing.rounding`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array
from llmtrace.testing.bounds_choices import CHOICES
from llmtrace.testing.bounds_elements import ELEMENTS, gelu_inner, sigmoid
from llmtrace.testing.bounds_rows import ROWS
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["BOUNDS", "bound"]


def linear(r: Rounding, x: Array, weight: Array, bias: Array | None = None, transposed: bool = False) -> Close:
    """Σ x·w + b: the (K + 1)·u·Σ|x·w| of a dot product, and u·|out| for the bias."""
    matrix = weight if transposed else weight.T  # [N, K]
    out = r.dot(r.exact(x[..., None, :]), r.exact(matrix))
    return out if bias is None else r.add(out, r.exact(bias))


def linear_to_heads(r: Rounding, x: Array, weight: Array, bias: Array | None, heads: int) -> Close:
    """A linear layer, its outputs dealt out."""
    *lead, positions, _ = x.shape
    shape = (*lead, positions, heads, weight.shape[1] // heads)
    return Close(*(np.swapaxes(part.reshape(shape), -3, -2) for part in linear(r, x, weight, bias)))


def linear_from_heads(r: Rounding, x: Array, weight: Array, bias: Array | None) -> Close:
    """A linear layer whose inputs are gathered first."""
    *lead, heads, positions, features = x.shape
    return linear(r, np.swapaxes(x, -3, -2).reshape(*lead, positions, heads * features), weight, bias)


def attention_scores(r: Rounding, q: Array, k: Array) -> Close:
    """(Σ q·k) / √D, the root a constant; later keys −∞."""
    scores = r.divide(
        r.dot(r.exact(q[..., :, None, :]), r.exact(k[..., None, :, :])), r.constant(math.sqrt(q.shape[-1]))
    )
    seen = np.tri(q.shape[-2], k.shape[-2], k.shape[-2] - q.shape[-2], dtype=bool)
    return Close(np.where(seen, scores.value, -np.inf), np.where(seen, scores.error, 0))


def attention_mix(r: Rounding, pattern: Array, v: Array) -> Close:
    """Σ pattern·v; a masked key's product, here 0, adds nothing to the value."""
    queries, keys = pattern.shape[-2:]
    seen = np.where(np.tri(queries, keys, keys - queries, dtype=bool), pattern, 0)
    return r.dot(r.exact(seen[..., :, None, :]), r.exact(np.swapaxes(v, -1, -2)[..., None, :, :]))


def softmax(r: Rounding, x: Array) -> Close:
    """E / Σe, e = exp(x − max x)."""
    e = r.exp(r.subtract(r.exact(x), r.maximum(r.exact(x))))
    return r.divide(e, last(r.sum(e)))


def causal_softmax(r: Rounding, x: Array) -> Close:
    """Softmax of each query's keys; the others are 0 exactly."""
    out = r.exact(np.zeros_like(x))
    past = x.shape[-1] - x.shape[-2]
    for t in range(x.shape[-2]):
        value, error = softmax(r, x[..., t, : past + t + 1])
        out.value[..., t, : past + t + 1], out.error[..., t, : past + t + 1] = value, error
    return out


def layer_norm(r: Rounding, x: Array, gain: Array, bias: Array, epsilon: float) -> Close:
    """((d / √(Σd²/C + ε)) · gain) + bias, d = x − Σx/C; a count C is exact."""
    count = r.exact(np.asarray(x.shape[-1]))
    d = r.subtract(r.exact(x), last(r.divide(r.sum(r.exact(x)), count)))
    root = r.root(r.add(r.divide(r.sum(r.multiply(d, d)), count), r.constant(epsilon)))
    return r.add(r.multiply(r.divide(d, last(root)), r.exact(gain)), r.exact(bias))


def gelu(r: Rounding, x: Array, bent: Close) -> Close:
    """(0.5·x) · (1 + bent)."""
    return r.multiply(r.multiply(r.exact(np.asarray(0.5)), r.exact(x)), r.add(r.exact(np.ones(())), bent))


BOUNDS: dict[str, Callable[..., Close]] = {**CHOICES, **ELEMENTS, **ROWS} | {
    "add": lambda r, a, b: r.add(r.exact(a), r.exact(b)),
    "concatenate": lambda r, past, new: r.exact(np.concatenate([past, new], axis=-2)),
    "argmax": lambda r, x: r.exact(np.argmax(x, axis=-1)),
    "attention_mix": attention_mix,
    "attention_scores": attention_scores,
    "causal_softmax": causal_softmax,
    "embedding": lambda r, ids, weight: r.exact(weight[ids]),
    "erf": lambda r, x: r.erf(r.exact(x)),
    "exp": lambda r, x: r.exp(r.exact(x)),
    "gelu_erf": lambda r, x: gelu(r, x, r.erf(r.divide(r.exact(x), r.constant(math.sqrt(2))))),
    "gelu_tanh": lambda r, x: gelu(r, x, r.tanh(gelu_inner(r, x))),
    "layer_norm": layer_norm,
    "linear": linear,
    "linear_from_heads": linear_from_heads,
    "linear_to_heads": linear_to_heads,
    "log": lambda r, x: r.log(r.exact(x)),
    "multiply": lambda r, a, b: r.multiply(r.exact(a), r.exact(b)),
    "relu": lambda r, x: r.exact(np.maximum(x, 0)),
    "identity": lambda r, x: r.exact(x),
    "scale": lambda r, x, factor: r.multiply(r.exact(x), r.constant(factor)),
    "sigmoid": sigmoid,
    "silu": lambda r, x: r.multiply(r.exact(x), sigmoid(r, x)),
    "softmax": softmax,
    "tanh": lambda r, x: r.tanh(r.exact(x)),
}


def bound(name: str, arguments: Any, dtype: npt.DTypeLike) -> Close:
    """An op's value in float64 and how far its calculation in `dtype` may end from it.

    The float64 value is itself computed, by NumPy's own functions and sums in NumPy's own order; those functions are
    allowed two units in the last place, four times the half unit of a correctly rounded one, and so four times the
    bound of a correctly rounded float64 calculation is added.
    """
    wide = arguments.cast(np.float64)
    own = wide.call(lambda *tensors, **settings: BOUNDS[name](Rounding(dtype), *tensors, **settings))
    reference = wide.call(lambda *tensors, **settings: BOUNDS[name](Rounding(np.float64), *tensors, **settings))
    return Close(own.value, own.error + 4 * reference.error)
