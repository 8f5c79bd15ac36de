"""Numbers compared by their bits, and written so that they read back to the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array

FEW_BYTES = 4096
"""So many are compared at once, before anybody asks where they differ."""


def same_bits(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers to the last bit: −0 is not +0, and every NaN is the same NaN."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return (a.nbytes <= FEW_BYTES and a.tobytes() == b.tobytes()) or not other_bits(a, b).any()


def other_bits(a: Array, b: Array) -> npt.NDArray[np.bool_]:
    """Where two arrays of one type and shape hold different numbers, as `same_bits` tells them apart."""
    if a.dtype.kind != "f":
        return np.asarray(a != b)
    unsigned = np.dtype(f"u{a.dtype.itemsize}")
    differ = np.ascontiguousarray(a).view(unsigned) != np.ascontiguousarray(b).view(unsigned)
    return np.asarray(differ & ~(np.isnan(a) & np.isnan(b))).reshape(a.shape)


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
