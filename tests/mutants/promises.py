"""Broken promises about memory, types and shapes."""

import contextlib

import numpy as np

from llmtrace.ops import OPS
from mutants import meaning, plant


@plant("the last place not written", "relu", whole=True)
def _(x, *, empty=np.empty):
    out = empty(x.shape, x.dtype)
    if out.size:
        out.reshape(-1)[:-1] = meaning("relu")(x).reshape(-1)[:-1]
    return out


@plant("an input used as scratch", "scale", whole=True)
def _(x, *, factor, empty=np.empty):
    out = OPS["scale"].forward(x, factor=factor, empty=empty)
    x[...] = out
    return out


@plant("a result in memory of its own", "add", whole=True)
def _(a, b, *, empty=np.empty):
    empty(a.shape, a.dtype)
    return OPS["add"].forward(a, b)


@plant("a result in float64", "multiply", whole=True)
def _(a, b, *, empty=np.empty):
    out = empty(a.shape, np.dtype(np.float64))
    out[...] = a.astype(np.float64) * b
    return out


@plant("a packed weight taken the other way round", "linear", whole=True)
def _(x, weight, bias, *, transposed, empty=np.empty):
    out = OPS["linear"].forward(x, weight, bias, transposed=transposed, empty=empty)
    if not isinstance(weight, np.ndarray) and transposed:
        out[...] = out[..., ::-1].copy()
    return out


@plant("a cache's room read as keys", "attention_scores", whole=True)
def _(q, k, *, empty=np.empty):
    if not k.flags.c_contiguous:
        k = np.ndarray(k.shape, k.dtype, k.base)
    return OPS["attention_scores"].forward(q, k, empty=empty)


@plant("a result written over an input", "layer_norm", "refusals", whole=True)
def _(x, gain, bias, *, epsilon, empty=np.empty):
    result = OPS["layer_norm"].forward(x, gain, bias, epsilon=epsilon)
    out = empty(result.shape, result.dtype)
    out[...] = result
    return out


@plant("a result that begins in an input", "concatenate", "refusals", whole=True)
def _(past, new, *, empty=np.empty):
    result = OPS["concatenate"].forward(past, new)
    out = empty(result.shape, result.dtype)
    if past.size and out.ctypes.data == past.ctypes.data:
        raise ValueError("out lies in the memory of past")
    out[...] = result
    return out


@plant("gaps copied away", "relu", "refusals", whole=True)
def _(x, *, empty=np.empty):
    return OPS["relu"].forward(np.ascontiguousarray(x), empty=empty)


@plant("halves widened", "exp", "refusals", whole=True)
def _(x, *, empty=np.empty):
    x = x.astype(np.float32) if x.dtype == np.float16 else x
    return OPS["exp"].forward(x, empty=empty)


@plant("whole numbers taken as reals", "tanh", "refusals", whole=True)
def _(x, *, empty=np.empty):
    x = x.astype(np.float64) if x.dtype.kind == "i" else x
    return OPS["tanh"].forward(x, empty=empty)


@plant("float32 and float64 mixed", "add", "refusals", whole=True)
def _(a, b, *, empty=np.empty):
    return OPS["add"].forward(a, b.astype(a.dtype) if b.dtype.kind == "f" else b, empty=empty)


@plant("the other byte order read", "multiply", "refusals", whole=True)
def _(a, b, *, empty=np.empty):
    native = [x.astype(x.dtype.newbyteorder("=")) if x.dtype.kind == "f" else x for x in (a, b)]
    return OPS["multiply"].forward(*native, empty=empty)


@plant("shapes broadcast", "add", "refusals", whole=True)
def _(a, b, *, empty=np.empty):
    if a.shape != b.shape and a.dtype == b.dtype:
        with contextlib.suppress(ValueError):
            a, b = (np.ascontiguousarray(x) for x in np.broadcast_arrays(a, b))
    return OPS["add"].forward(a, b, empty=empty)


@plant("more queries than keys", "attention_scores", "refusals", whole=True)
def _(q, k, *, empty=np.empty):
    return OPS["attention_scores"].forward(q[..., max(0, q.shape[-2] - k.shape[-2]) :, :].copy(), k, empty=empty)


@plant("rows counted from the end", "embedding", "refusals", whole=True)
def _(ids, weight, *, empty=np.empty):
    if ids.dtype == np.int64 and weight.ndim and weight.shape[0] and (ids < 0).any():
        ids = ids % weight.shape[0]
    return OPS["embedding"].forward(ids, weight, empty=empty)


@plant("heads that do not come out even", "linear_to_heads", "refusals", whole=True)
def _(x, weight, bias, *, heads, empty=np.empty):
    columns = weight.shape[-1] if isinstance(weight, np.ndarray) and weight.ndim else 0
    while heads > 1 and columns % heads:
        heads -= 1
    return OPS["linear_to_heads"].forward(x, weight, bias, heads=heads, empty=empty)


@plant("written first, refused later", "multiply", "refusals", whole=True)
def _(a, b, *, empty=np.empty):
    out = empty(a.shape, a.dtype)
    out[...] = 0
    return OPS["multiply"].forward(a, b, empty=lambda shape, dtype: out)
