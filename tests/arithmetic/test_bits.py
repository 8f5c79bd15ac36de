"""What "the same bits" means: every bit counts but those of a NaN, and shape and type do, too."""

import itertools
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.arithmetic.bits import same_bits

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, -math.nan, 5e-324, 1e-45, 1.0 + 2**-23, 1.0 + 2**-52]
numbers = st.sampled_from(SPECIAL) | st.floats()


def definition(a, b, code):
    return (math.isnan(a) and math.isnan(b)) or struct.pack(code, a) == struct.pack(code, b)


@pytest.mark.parametrize(("dtype", "code"), [(np.float32, "<f"), (np.float64, "<d")])
def test_two_numbers(dtype, code):
    values = np.array(SPECIAL, dtype)
    for a, b in itertools.product(values, values):
        expected = definition(float(a), float(b), code)
        assert same_bits(a, b) == same_bits(np.array([a]), np.array([b])) == expected, (a, b)


@given(st.lists(numbers, max_size=6), st.lists(st.tuples(st.integers(0, 5), numbers), max_size=2))
def test_rows(values, changes):
    one = np.array(values)
    other = one.copy()
    for place, number in changes:
        if place < len(other):
            other[place] = number
    assert same_bits(one, other) == all(definition(a, b, "<d") for a, b in zip(one, other, strict=True))


def test_shapes_and_types_count():
    x = np.zeros((2, 3), np.float32)
    assert same_bits(x, np.zeros((2, 3), np.float32))
    others = [
        np.zeros((3, 2), "f4"),
        np.zeros(6, "f4"),
        np.zeros((2, 3)),
        np.zeros((2, 3), "i4"),
        np.zeros((2, 4), "f4"),
    ]
    assert not any(same_bits(x, other) for other in others)
    assert same_bits(np.array([1, 2]), np.array([1, 2]))
    assert not same_bits(np.array([1, 2]), np.array([1, 3]))
