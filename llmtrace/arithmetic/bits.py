"""Numbers compared by their bits, and written so that they read back to the same bits."""

from __future__ import annotations

from typing import Any

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


def exact(value: Any) -> str:
    """The shortest decimal that reads back to the same bits; `nan`, `inf` and `-inf` where there is none."""
    value = np.asarray(value)[()]
    if value.dtype.kind != "f":
        return str(int(value))
    if not np.isfinite(value):
        return "nan" if np.isnan(value) else ("-inf" if value < 0 else "inf")
    if value == 0 or 1e-5 <= abs(float(value)) < 1e16:
        return np.format_float_positional(value, unique=True, trim="0")
    return np.format_float_scientific(value, unique=True, trim="0")
