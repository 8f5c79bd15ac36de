"""Small examples that a test works out by hand: an op done on them, in both its ways."""

import math

import numpy as np
import pytest

from llmtrace.ops import OPS
from llmtrace.testing import expect_same_bits

NAN, INF = math.nan, math.inf
REALS = pytest.mark.parametrize("real", [np.float32, np.float64])
WHOLE = {("embedding", 0), ("embedding_gradient", 0), ("cross_entropy", 1), ("cross_entropy_gradient", 1)}
"""The inputs that are whole numbers."""


def done(op, *arrays, **settings):
    """The op's result, by `forward` and by its meaning, which must have the same bits."""
    with np.errstate(all="ignore"):
        meant = np.asarray(OPS[op].meaning(*arrays, **settings))
    result = OPS[op].forward(*arrays, **settings)
    expect_same_bits(result, meant, op, arrays)
    return result


def do(op, *tensors, real=np.float32, **settings):
    """The same of lists of numbers."""
    kinds = [np.int64 if (op, place) in WHOLE else real for place in range(len(tensors))]
    return done(
        op, *(None if t is None else np.asarray(t, kind) for t, kind in zip(tensors, kinds, strict=True)), **settings
    )


def bits_are(actual, expected):
    """AssertionError unless these are the bits."""
    expect_same_bits(actual, np.asarray(expected, actual.dtype), "the result", "what stands in the test")
