"""What training does element by element: gradients, dropout, optimisers."""

import math

import numpy as np

from llmtrace import rng
from llmtrace.arithmetic import elementary
from mutants import meaning, plant


@plant("dropout that does not make up for what it drops", "dropout")
@plant("dropout that does not make up for what it drops, in the meaning", "dropout", "bound")
def _(x, rate, seed, first):
    return np.where(meaning("dropout")(np.ones_like(x), rate=rate, seed=seed, first=first) > 0, x, x.dtype.type(0))


def dropped(x, rate, u):
    return np.where(
        u.reshape(x.shape).astype(x.dtype) < x.dtype.type(rate), x.dtype.type(0), x * x.dtype.type(1 / (1 - rate))
    )


@plant("dropout that begins each part anew", "dropout")
def _(x, rate, seed, first):
    return dropped(x, rate, rng.uniform(seed, np.arange(x.size)))


@plant("dropout with one random number per row", "dropout")
def _(x, rate, seed, first):
    places = np.arange(x.size, dtype=np.uint64).reshape(x.shape) // np.uint64(max(1, x.shape[-1] if x.ndim else 1))
    return dropped(x, rate, rng.uniform(seed, places + np.uint64(first)))


@plant("dropout by multiplying with 0, which lets NaN and −0 through", "dropout")
def _(x, rate, seed, first):
    kept = meaning("dropout")(np.ones_like(x), rate=rate, seed=seed, first=first)
    return x * kept


@plant("dropout that takes any rate", "dropout", "refusals", whole=True)
def _(x, rate, seed, first, empty=np.empty):
    out = empty(x.shape, x.dtype)
    out[...] = dropped(x, min(rate, 0.5), rng.uniform(seed, np.arange(x.size)))
    return out


@plant("dropout explained by the number of the first place", "dropout", "explain")
def _(w):
    u = float(rng.uniform(w.settings["seed"], [w.settings["first"]])[0])
    rate = w.settings["rate"]
    kept = w.multiply("kept", w["x"][w.index], w.constant(1 / (1 - rate), "1/(1 − rate)"))
    w.above("out", w.constant(rate, "rate"), w.constant(u, "u"), w.constant(0, "0"), kept)


@plant("1 + t·t for 1 − t·t", "tanh_gradient")
@plant("1 + t·t for 1 − t·t, in the meaning", "tanh_gradient", "bound")
def _(out, dout):
    return dout * (out.dtype.type(1) + out * out)


@plant("1 − t as the slope of a tanh", "tanh_gradient", "explain")
def _(w):
    out = w["out"][w.index]
    w.multiply("out", w["dout"][w.index], w.subtract("slope", w.constant(1, "1"), out))


@plant("the slope of a sigmoid without dout", "sigmoid_gradient")
def _(out, dout):
    return out * (out.dtype.type(1) - out)


@plant("the gate only, as if it never changed", "silu_gradient", "bound")
def _(x, dout):
    return dout * meaning("sigmoid")(x)


def gelu_gradient(x, dout, sign=1, three=0.134145):
    real, squared = x.dtype.type, x * x
    t = elementary.tanh(real(math.sqrt(2 / math.pi)) * (x + real(0.044715) * (squared * x)))
    slope = real(math.sqrt(2 / math.pi)) * (real(1) + real(three) * squared)
    return dout * (real(0.5) * (real(1) + t) + (real(0.5) * x) * ((real(1) - real(sign) * (t * t)) * slope))


@plant("1 + t·t in GELU's gradient, in the meaning", "gelu_tanh_gradient", "bound")
def _(x, dout):
    return gelu_gradient(x, dout, sign=-1)


@plant("0.044715 without the 3 of x³, in the meaning", "gelu_tanh_gradient", "bound")
def _(x, dout):
    return gelu_gradient(x, dout, three=0.044715)


@plant("the last bit of 3 · 0.044715", "gelu_tanh_gradient")
def _(x, dout):
    return gelu_gradient(x, dout, three=np.nextafter(x.dtype.type(0.134145), x.dtype.type(1)))


@plant("the bell of GELU without 1/√(2π), in the meaning", "gelu_erf_gradient", "bound")
def _(x, dout):
    real = x.dtype.type
    gate = real(0.5) * (real(1) + elementary.erf(x / real(math.sqrt(2))))
    return dout * (gate + x * elementary.exp(-(real(0.5) * (x * x))))


@plant("the bell of erf turned upside down", "erf_gradient")
def _(x, dout):
    return dout * (x.dtype.type(2 / math.sqrt(math.pi)) * elementary.exp(x * x))


@plant("the sine as the slope of a sine", "sin_gradient")
@plant("the sine as the slope of a sine, in the meaning", "sin_gradient", "bound")
def _(x, dout):
    return dout * elementary.sin(x)


@plant("the minus of a cosine's slope forgotten", "cos_gradient")
@plant("the minus of a cosine's slope forgotten, in the meaning", "cos_gradient", "bound")
def _(x, dout):
    return dout * elementary.sin(x)


@plant("the minus of a cosine's slope forgotten", "cos_gradient", "explain")
def _(w):
    w.multiply("out", w["dout"][w.index], w.sin("sine", w["x"][w.index]))


@plant("a ReLU that lets gradients through at 0", "relu_gradient")
@plant("a ReLU that lets gradients through at 0, in the meaning", "relu_gradient", "bound")
def _(x, dout):
    return np.where(x >= 0, dout, np.where(np.isnan(x), x, x.dtype.type(0)))


@plant("the forgotten 2 of a square", "squared_error_gradient")
@plant("the forgotten 2 of a square, in the meaning", "squared_error_gradient", "bound")
def _(a, b, dout):
    return dout * (a - b)


@plant("a and b swapped", "absolute_error_gradient")
def _(a, b, dout):
    return meaning("absolute_error_gradient")(b, a, dout)


@plant("dout times the sign of the difference", "absolute_error_gradient")
def _(a, b, dout):
    return dout * np.sign(a - b)


@plant("an error that keeps its sign", "absolute_error")
def _(a, b):
    return a - b


@plant("b − a", "subtract")
def _(a, b):
    return b - a


@plant("a · (1/b)", "divide")
def _(a, b):
    return a * (a.dtype.type(1) / b)


@plant("√|x|", "sqrt")
@plant("√|x|, in the meaning", "sqrt", "bound")
def _(x):
    return np.sqrt(np.abs(x))


@plant("the sign of 0 as 1", "regularise")
def _(gradient, weight, l1, l2):
    real = weight.dtype.type
    return (gradient + real(l2) * weight) + real(l1) * np.where(weight >= 0, real(1), np.sign(weight))


@plant("the penalty subtracted, in the meaning", "regularise", "bound")
def _(gradient, weight, l1, l2):
    return meaning("regularise")(gradient, -weight, l1=l1, l2=l2)


@plant("momentum forgotten", "momentum")
@plant("momentum forgotten, in the meaning", "momentum", "bound")
def _(before, gradient, momentum):
    return before + gradient


@plant("uphill", "sgd_step")
@plant("uphill, in the meaning", "sgd_step", "bound")
def _(weight, gradient, rate):
    return weight + weight.dtype.type(rate) * gradient


@plant("the new gradient in full", "adam_mean")
@plant("the new gradient in full, in the meaning", "adam_mean", "bound")
def _(before, gradient, beta):
    return before.dtype.type(beta) * before + gradient


@plant("1 − β worked out in the short type", "adam_mean")
def _(before, gradient, beta):
    real = before.dtype.type
    return real(beta) * before + np.nextafter(real(1 - beta), real(0)) * gradient


@plant("the square of the share, too", "adam_square")
def _(before, gradient, beta):
    new = before.dtype.type(1 - beta) * gradient
    return before.dtype.type(beta) * before + new * new


def adam(weight, mean, square, **s):
    real = weight.dtype.type
    epsilon = {"in": real(s["epsilon"]), "out": real(0)}[s.get("place", "out")]
    size = np.sqrt(square / real(s["square_correction"]) + epsilon) + real(s["epsilon"] if not epsilon else 0)
    step = (mean / real(s["mean_correction"])) / size
    return (weight + real(s.get("sign", -1) * s["rate"] * s["decay"]) * weight) - real(s["rate"]) * step


@plant("Adam's means taken as they are, without their shares", "adam_update")
@plant("Adam's means taken as they are, without their shares, in the meaning", "adam_update", "bound")
def _(weight, mean, square, **settings):
    return adam(weight, mean, square, **{**settings, "mean_correction": 1.0, "square_correction": 1.0})


@plant("decay that makes weights grow", "adam_update")
@plant("decay that makes weights grow, in the meaning", "adam_update", "bound")
def _(weight, mean, square, **settings):
    return adam(weight, mean, square, sign=1, **settings)


@plant("ε under the root", "adam_update")
def _(weight, mean, square, **settings):
    return adam(weight, mean, square, place="in", **settings)


@plant("decay after the step", "adam_update", "explain")
def _(w):
    weight, s = w["weight"][w.index], w.settings
    mean = w.divide("full mean", w["mean"][w.index], w.constant(s["mean_correction"], "mean correction"))
    square = w.divide("full square", w["square"][w.index], w.constant(s["square_correction"], "square correction"))
    size = w.add("usual size", w.root("sqrt", square), w.constant(s["epsilon"], "ε"))
    step = w.multiply("step", w.constant(s["rate"], "rate"), w.divide("direction", mean, size))
    stepped = w.subtract("stepped", weight, step)
    w.subtract("out", stepped, w.multiply("gone", w.constant(s["rate"] * s["decay"], "rate · decay"), stepped))


@plant("short gradients stretched to the limit, too", "clip_factor")
def _(norm, limit):
    return norm.dtype.type(limit) / norm


@plant("a NaN that is not clipped", "clip_factor")
def _(norm, limit):
    bound = norm.dtype.type(limit)
    return np.where(norm > bound, bound / norm, norm.dtype.type(1))


@plant("one divided by the factor", "multiply_scalar")
def _(x, factor):
    return x / factor


@plant("a factor of another type", "multiply_scalar", "refusals", whole=True)
def _(x, factor, empty=np.empty):
    return meaning("multiply_scalar")(x, factor)
