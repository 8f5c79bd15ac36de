"""Softmax and layer norm."""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.ops.op import ordered_sum
from mutants import meaning, plant


@plant("softmax along the first axis", "softmax")
@plant("softmax along the first axis, in the meaning", "softmax", "bound")
def _(x):
    return np.swapaxes(meaning("softmax")(np.swapaxes(x, 0, -1)), 0, -1) if x.size else x


@plant("the maximum not taken off", "softmax")
def _(x):
    e = elementary.exp(x)
    return e / ordered_sum(e)[..., None]


def softmax_parts(x):
    e = elementary.exp(x - np.max(x, axis=-1, keepdims=True, initial=-np.inf))
    return np.asarray(e)


@plant("a pairwise sum of exponentials", "softmax")
def _(x):
    return softmax_parts(x) / np.sum(softmax_parts(x), axis=-1, keepdims=True)


@plant("times 1 / Σ instead of ÷ Σ", "softmax")
def _(x):
    return softmax_parts(x) * (x.dtype.type(1) / ordered_sum(softmax_parts(x))[..., None])


def layer_norm(x, gain, bias, epsilon, variance):
    real = x.dtype.type
    d = x - (ordered_sum(x) / real(x.shape[-1]))[..., None]
    return ((d / np.sqrt(variance(x, d) + real(epsilon))[..., None]) * gain) + bias


def usual_variance(x, d):
    return ordered_sum(d * d) / x.dtype.type(x.shape[-1])


@plant("ε outside the root", "layer_norm")
@plant("ε outside the root, in the meaning", "layer_norm", "bound")
def _(x, gain, bias, epsilon):
    real = x.dtype.type
    d = x - (ordered_sum(x) / real(x.shape[-1]))[..., None]
    return (d / (np.sqrt(usual_variance(x, d)) + real(epsilon))[..., None]) * gain + bias


@plant("a variance by C − 1", "layer_norm")
@plant("a variance by C − 1, in the meaning", "layer_norm", "bound")
def _(x, gain, bias, epsilon):
    return layer_norm(x, gain, bias, epsilon, lambda x, d: ordered_sum(d * d) / x.dtype.type(max(1, x.shape[-1] - 1)))


@plant("a variance without squares", "layer_norm")
def _(x, gain, bias, epsilon):
    return layer_norm(x, gain, bias, epsilon, lambda x, d: ordered_sum(np.abs(d)) / x.dtype.type(x.shape[-1]))


@plant("a variance as mean of squares − square of mean", "layer_norm")
def _(x, gain, bias, epsilon):
    count = x.dtype.type(x.shape[-1])
    return layer_norm(x, gain, bias, epsilon, lambda x, d: ordered_sum(x * x) / count - (ordered_sum(x) / count) ** 2)


@plant("a gain applied after the bias", "layer_norm")
def _(x, gain, bias, epsilon):
    one = np.ones_like(gain)
    return (layer_norm(x, one, np.zeros_like(bias), epsilon, usual_variance) + bias) * gain
