"""Sums in other orders, with other roundings, of other things."""

import numpy as np

from llmtrace.ops.op import ordered_sum
from mutants import meaning, plant


def products(x, weight, transposed):
    return x[..., None, :] * (weight if transposed else weight.T)


def with_bias(out, bias):
    return out if bias is None else out + bias


@plant("a sum from right to left", "linear")
def _(x, weight, bias, transposed):
    return with_bias(ordered_sum(products(x, weight, transposed)[..., ::-1]), bias)


@plant("a pairwise sum", "linear")
def _(x, weight, bias, transposed):
    return with_bias(np.sum(np.ascontiguousarray(products(x, weight, transposed)), axis=-1), bias)


@plant("a sum left to BLAS", "linear")
def _(x, weight, bias, transposed):
    return with_bias(x @ (weight.T if transposed else weight), bias)


@plant("a fused multiply-add", "linear")
def _(x, weight, bias, transposed):
    matrix = weight.T if transposed else weight
    out = np.zeros((*x.shape[:-1], matrix.shape[1]), x.dtype)
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    for k in range(matrix.shape[0]):
        out = (out.astype(wide) + x[..., k, None].astype(wide) * matrix[k].astype(wide)).astype(x.dtype)
    return with_bias(out, bias)


@plant("a sum in float64, rounded once", "linear")
def _(x, weight, bias, transposed):
    wide = meaning("linear")(x.astype(np.float64), weight.astype(np.float64), None, transposed=transposed)
    return with_bias(wide.astype(x.dtype), bias)


@plant("the bias first", "linear")
def _(x, weight, bias, transposed):
    matrix = weight.T if transposed else weight
    out = (
        np.zeros((*x.shape[:-1], matrix.shape[1]), x.dtype)
        if bias is None
        else bias + np.zeros((*x.shape[:-1], 1), x.dtype)
    )
    for k in range(matrix.shape[0]):
        out = out + x[..., k, None] * matrix[k]
    return out


@plant("the bias forgotten", "linear")
@plant("the bias forgotten, in the meaning", "linear", "bound")
def _(x, weight, bias, transposed):
    return meaning("linear")(x, weight, None, transposed=transposed)


@plant("a weight read in the other order", "linear")
@plant("a weight read in the other order, in the meaning", "linear", "bound")
def _(x, weight, bias, transposed):
    return meaning("linear")(x, weight.reshape(weight.shape[::-1]).T, bias, transposed=transposed)


@plant("a sum of halves, in the meaning", "linear", "bound")
def _(x, weight, bias, transposed):
    short = np.sum(products(x, weight, transposed).astype(np.float16), axis=-1, dtype=np.float16)
    return with_bias(short.astype(x.dtype), bias)


@plant("heads interleaved where they are dealt out", "linear_to_heads")
@plant("heads interleaved, in the meaning", "linear_to_heads", "bound")
def _(x, weight, bias, heads):
    out = meaning("linear")(x, weight, bias)
    return np.moveaxis(out.reshape(*out.shape[:-1], out.shape[-1] // heads, heads), -1, -3)


@plant("heads interleaved where they are gathered", "linear_from_heads")
def _(x, weight, bias):
    joined = np.moveaxis(x, -3, -1)
    return meaning("linear")(joined.reshape(*joined.shape[:-2], x.shape[-3] * x.shape[-1]), weight, bias)
