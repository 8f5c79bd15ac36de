"""The cosines and sines of rotary positions in JavaScript: the bits of Python's, which work in another way."""

import numpy as np
from helpers.javascript import packed, run, unpacked
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.arithmetic.turns import turns
from llmtrace.testing import steady
from llmtrace.testing.compare import expect_same_bits

KNOWN = [([0, 1, 2047, 8191, 131071, 2**31 - 1], 32, 10000.0), ([5, 70], 16, 1e30), ([1, 2], 6, 1e300), ([7], 3, 1e-3)]


def test_turns():
    cases = list(KNOWN)

    @steady(80, shrink=False)
    @given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4), st.integers(1, 9), st.floats(1e-3, 1e9))
    def collect(positions, pairs, base):
        cases.append((positions, pairs, base))

    collect()
    asked = [
        {"positions": packed(np.array(positions)), "pairs": pairs, "base": base} for positions, pairs, base in cases
    ]
    for case, answer in zip(cases, run("turns.mjs", asked), strict=True):
        expected = turns(*case)
        for found, right in zip(answer, expected, strict=True):
            expect_same_bits(unpacked(found).reshape(right.shape), right, "turns in JavaScript", case)
