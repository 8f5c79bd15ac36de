"""Cosines and sines of `position · base^(−2i/D)`, the angles of positions, each the float nearest to its true value.

Rotary positions turn by them (Su et al. 2021, arXiv:2104.09864), sinusoidal ones are made of them (Vaswani et al. 2017,
arXiv:1706.03762). An angle is a real number that no float holds, so it is never rounded: it is kept as a whole number of
2^−96 turns. Ziv's way (see `llmtrace.arithmetic.elementary`): what float64 makes of it is taken where every number within its
error rounds to the same float32, and worked out in decimals where not.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.elementary import FAST_ERROR, decide, pi, sine_of
from llmtrace.arithmetic.types import Array

DIGITS = 120
"""Decimal digits of a frequency at first: enough for 2^−96 turns of it, whatever the base."""
COARSE = 2.0**-44
"""Below so much per position, 2^−96 turns are no longer fine enough beside the value itself."""
TOGETHER = 16
"""So many positions in a row are worked out at once: the next tokens of a text ask for them."""
LIMB, MASK = 32, (1 << 32) - 1


class Turns(NamedTuple):
    """The cosines and sines of some angles."""

    cosine: Array
    sine: Array


def turns(positions: npt.ArrayLike, pairs: int, base: float, dtype: npt.DTypeLike = np.float32) -> Turns:
    """Of positions [*], whole numbers from 0 to 2^31 − 1, the cosines and sines [*, D], D = `pairs`: of
    `position · base^(−i/D)` for the pairs i = 0 … D − 1.
    """
    places = np.asarray(positions, np.int64)
    kind = np.dtype(dtype)
    together = TOGETHER if kind == np.float32 else 1
    known, where = np.unique(places // together, return_inverse=True)
    rows = [_rows(int(block) * together, together, pairs, float(base), kind) for block in known]
    found = np.stack(rows, axis=1) if rows else np.empty((2, 0, together, pairs), kind)
    cosine, sine = found[:, where.reshape(places.shape), places % together]
    return Turns(np.ascontiguousarray(cosine), np.ascontiguousarray(sine))


@lru_cache(maxsize=1 << 13)
def _rows(first: int, count: int, pairs: int, base: float, dtype: np.dtype[np.float32 | np.float64]) -> Array:
    """The cosines and the sines of `count` positions from `first` on, [2, count, D]."""
    out = np.empty((2, count, pairs), dtype)
    if dtype == np.float32:
        positions = np.arange(first, first + count)[:, None]
        wide = _about(positions, pairs, base)
        with np.errstate(under="ignore"):
            below, above = ((wide * (1 + error)).astype(np.float32) for error in (-FAST_ERROR, FAST_ERROR))
        out[...] = wide
        doubtful = np.argwhere((below != above) | (np.abs(wide) < positions * COARSE))
    else:
        doubtful = np.argwhere(np.ones(out.shape, bool))
    for which, place, pair in doubtful.tolist():
        out[which, place, pair] = _exactly(first + place, pair, pairs, base, 1 - which, dtype == np.float32)
    out.flags.writeable = False
    return out


def _about(positions: npt.NDArray[np.int64], pairs: int, base: float) -> npt.NDArray[np.float64]:
    """The same of positions [count, 1] in float64, with a relative error below `FAST_ERROR`, or what is below `COARSE`."""
    low, middle, high = _limbs(pairs, base)
    wide = positions.astype(np.uint64)
    low = low * wide
    middle = middle * wide + (low >> LIMB)
    high = ((high * wide + (middle >> LIMB)) & MASK).astype(np.int64)
    quarter = (high + (1 << 29)) >> 30  # the nearest quarter turn, from 0 to 4
    rest = ((high - (quarter << 30)) << LIMB) + (middle & MASK).astype(np.int64)
    angle = 2 * np.pi * (np.ldexp(rest.astype(np.float64), -64) + np.ldexp((low & MASK).astype(np.float64), -96))
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = [(cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine)]
    quarter %= 4
    return np.array([np.choose(quarter, [pair[which] for pair in turned]) for which in (0, 1)])


@lru_cache(maxsize=64)
def _limbs(pairs: int, base: float) -> tuple[npt.NDArray[np.uint64], ...]:
    """The frequencies in units of 2^−96 turns, as three whole numbers below 2^32, the least first."""
    with localcontext() as context:
        context.prec = DIGITS
        units = [int(_frequency(pair, pairs, base) / (2 * pi(DIGITS)) * 2**96) % 2**96 for pair in range(pairs)]
    return tuple(np.array([unit >> shift & MASK for unit in units], np.uint64) for shift in (0, LIMB, 2 * LIMB))


def _frequency(pair: int, pairs: int, base: float) -> Decimal:
    """base^(−i/D), to the precision of the decimal context."""
    return (-Decimal(pair) / pairs * Decimal(base).ln()).exp()


def _exactly(position: int, pair: int, pairs: int, base: float, quarter: int, single: bool) -> float:
    """sin(angle + quarter · π/2), rounded once."""

    def value(x: Decimal, digits: int) -> Decimal:
        with localcontext() as context:
            context.prec = digits + 60
            angle = x * _frequency(pair, pairs, base)
        return sine_of(angle, digits, quarter)

    return decide(Decimal(position), value, single)
