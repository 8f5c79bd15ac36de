"""One operation per element, tables, searches."""

import math

import numpy as np

from llmtrace.arithmetic import elementary
from mutants import meaning, plant


@plant("the erf form of GELU for its tanh form", "gelu_tanh")
@plant("the erf form of GELU for its tanh form, in the meaning", "gelu_tanh", "bound")
def _(x):
    return meaning("gelu_erf")(x)


def gelu(x, root, cubic):
    real = x.dtype.type
    inner = real(root) * (x + real(cubic) * ((x * x) * x))
    return (real(0.5) * x) * (real(1) + elementary.tanh(inner))


@plant("the last bit of √(2/π)", "gelu_tanh")
def _(x):
    return gelu(x, np.nextafter(x.dtype.type(math.sqrt(2 / math.pi)), x.dtype.type(1)), 0.044715)


@plant("the last bit of 0.044715", "gelu_tanh")
def _(x):
    return gelu(x, math.sqrt(2 / math.pi), np.nextafter(x.dtype.type(0.044715), x.dtype.type(0)))


@plant("0.0447 for 0.044715, in the meaning", "gelu_tanh", "bound")
def _(x):
    return gelu(x, math.sqrt(2 / math.pi), 0.0447)


@plant("x³ as x·(x·x)", "gelu_tanh")
def _(x):
    real = x.dtype.type
    inner = real(math.sqrt(2 / math.pi)) * (x + (real(0.044715) * x) * (x * x))
    return (real(0.5) * x) * (real(1) + elementary.tanh(inner))


@plant("tanh by its formula in the short type", "tanh")
def _(x):
    power = elementary.exp(x + x)
    return np.where(np.abs(x) > 20, np.sign(x), (power - x.dtype.type(1)) / (power + x.dtype.type(1)))


@plant("degrees for radians", "sin")
@plant("degrees for radians, in the meaning", "sin", "bound")
def _(x):
    return elementary.sin(x * x.dtype.type(math.pi / 180))


@plant("whole turns taken off by a rounded 2π", "cos")
def _(x):
    whole = x.dtype.type(2 * math.pi)
    return elementary.cos(x - np.round(x / whole) * whole)


@plant("the sine for the cosine", "cos", "bound")
def _(x):
    return elementary.sin(x)


@plant("exp as a power of a rounded e", "exp")
@plant("exp as a power of a rounded e, in the meaning", "exp", "bound")
def _(x):
    return np.power(x.dtype.type(np.float16(math.e)), x)


@plant("subnormal results of exp flushed to 0", "exp")
def _(x):
    y = meaning("exp")(x)
    return np.where(y < np.finfo(x.dtype).tiny, x.dtype.type(0), y)


@plant("subnormal products flushed to 0", "multiply")
def _(a, b):
    y = a * b
    return np.where(np.abs(y) < np.finfo(a.dtype).tiny, np.copysign(a.dtype.type(0), y), y)


@plant("subnormal inputs taken as 0", "add")
def _(a, b):
    flushed = [np.where(np.abs(x) < np.finfo(x.dtype).tiny, np.copysign(x.dtype.type(0), x), x) for x in (a, b)]
    return flushed[0] + flushed[1]


@plant("a + b + 0, which loses −0", "add")
def _(a, b):
    return (a + b) + a.dtype.type(0)


@plant("relu(NaN) = 0", "relu")
def _(x):
    return np.where(x > 0, x, x.dtype.type(0))


@plant("relu(−0) = −0", "relu")
def _(x):
    return np.where(x < 0, x.dtype.type(0), x)


@plant("the logarithm of |x|", "log")
@plant("the logarithm of |x|, in the meaning", "log", "bound")
def _(x):
    return meaning("log")(np.abs(x))


@plant("sigmoid by exp(x) / (1 + exp(x))", "sigmoid")
def _(x):
    e = elementary.exp(x)
    return e / (x.dtype.type(1) + e)


@plant("silu as x / (1 + exp(−x))", "silu")
def _(x):
    return x / (x.dtype.type(1) + elementary.exp(-x))


@plant("a factor that is not rounded first", "scale")
def _(x, factor):
    return (x.astype(np.longdouble) * np.longdouble(factor)).astype(x.dtype)


@plant("the last of equals", "argmax")
def _(x):
    return x.shape[-1] - 1 - np.argmax(x[..., ::-1], axis=-1)


@plant("the largest but for NaN", "argmax")
def _(x):
    return np.argmax(np.where(np.isnan(x), -np.inf, x), axis=-1)


@plant("the place of the smallest, in the meaning", "argmax", "bound")
def _(x):
    return np.argmin(x, axis=-1)


@plant("new before past", "concatenate")
def _(past, new):
    return np.concatenate([new, past], axis=-2)


@plant("the row before the right one", "embedding")
def _(ids, weight):
    return weight[np.maximum(ids - 1, 0)]


@plant("rows taken for columns", "embedding")
@plant("rows taken for columns, in the meaning", "embedding", "bound")
def _(ids, weight):
    return weight.T.reshape(weight.shape)[ids]
