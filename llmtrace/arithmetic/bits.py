"""Numbers compared by their bits."""

from __future__ import annotations

import numpy as np

from llmtrace.arithmetic.types import Array


def same_bits(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers to the last bit: −0 is not +0, and every NaN is the same NaN."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    unsigned = np.dtype(f"u{a.dtype.itemsize}")
    bits_equal = np.ascontiguousarray(a).view(unsigned) == np.ascontiguousarray(b).view(unsigned)
    return bool(np.all(bits_equal | (np.isnan(a) & np.isnan(b))))
