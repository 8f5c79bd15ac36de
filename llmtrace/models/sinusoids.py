"""Codes of places made of sines and cosines (Vaswani et al. 2017, arXiv:1706.03762, section 3.5): constants, not trained."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array

BASE = 10000.0


def angle(place: int, feature: int, width: int) -> float:
    """What the sine or the cosine of a feature is taken of, place / 10000^(2i/width): a pair of features shares a wavelength."""
    exponent = np.float64(feature // 2 * 2 / width)
    power = elementary.exp(exponent * elementary.log(np.float64(BASE)))  # libm's own differs between machines
    return float(place / power)


@lru_cache(16)
def sinusoids(places: int, width: int) -> Array:
    """The codes [places, width], float32, read-only: the sine for even features, the cosine for odd ones.

    The angle is computed in float64 and rounded to float32; its sine and cosine are correctly rounded.
    """
    angles = np.array([[angle(p, i, width) for i in range(width)] for p in range(places)], np.float32)
    codes = np.empty_like(angles)
    codes[:, 0::2], codes[:, 1::2] = elementary.sin(angles[:, 0::2]), elementary.cos(angles[:, 1::2])
    codes.flags.writeable = False
    return codes
