"""Random numbers that anybody can compute again: a number is a function of a seed and of its place, on every machine.

The bits are those of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"): a counter
times an odd constant, mixed. There is no state, so the numbers don't depend on what was drawn before, on threads, or on
how a batch is split; and NumPy's own generators, whose streams may change between versions, are not needed.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Chance", "bits", "derive", "normal", "permutation", "uniform"]

T = TypeVar("T")
Array = npt.NDArray[Any]

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1
PIECE = 4096
"""So many normal numbers are drawn at once, in little memory."""
MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def mixed(number: int) -> int:
    """64 bits, stirred: SplitMix64's finaliser."""
    for shift, factor in MIX:
        number = ((number ^ (number >> shift)) * factor) & MASK
    return number ^ (number >> 31)


def bits(seed: int, places: Any) -> Array:
    """64 random bits for each place (whole numbers from 0): mixed(mixed(seed) + (place + 1) · GOLDEN), modulo 2^64."""
    start = np.uint64(mixed(operator.index(seed) & MASK))
    with np.errstate(over="ignore"):  # modulo 2^64 is meant; NumPy would warn where there is one place only
        number = np.asarray(places, np.uint64) + np.uint64(1)
        number *= np.uint64(GOLDEN)
        number += start
        for shift, factor in MIX:
            number ^= number >> np.uint64(shift)
            number *= np.uint64(factor)
        number ^= number >> np.uint64(31)
        return np.asarray(number)


def uniform(seed: int, places: Any) -> Array:
    """A number in [0, 1) for each place, as float64: the first 24 of its bits, so that float32 holds it exactly, too."""
    return np.asarray((bits(seed, places) >> np.uint64(40)) * 2.0**-24)


def normal(seed: int, shape: tuple[int, ...]) -> Array:
    """Numbers spread about 0 like a bell with deviation 1, as float64: each the sum of twelve uniform ones, minus six."""
    count = int(np.prod(shape))
    total = np.full(count, -6.0)
    twelve = np.arange(12, dtype=np.uint64)[:, None]
    for first in range(0, count, PIECE):
        piece = total[first : first + PIECE]
        places = np.arange(first, first + len(piece), dtype=np.uint64) * np.uint64(12)
        for drawn in uniform(seed, places + twelve):
            piece += drawn
    return total.reshape(shape)


def permutation(seed: int, count: int) -> Array:
    """The numbers 0 … count − 1 in a random order, int64."""
    return np.argsort(bits(seed, np.arange(count)), kind="stable").astype(np.int64)


def derive(seed: int, *what: str | int) -> int:
    """A seed of 31 bits for one use, such as `derive(seed, "dropout", 12)`; different uses have nothing in common."""
    import hashlib  # only here: a run that draws nothing starts without OpenSSL

    seed = operator.index(seed)  # a number of NumPy's would be written in another way
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


class Chance:
    """One random number after the other, for programs that choose as they go."""

    def __init__(self, seed: int) -> None:
        self._key = mixed(seed & MASK)
        self._drawn = 0

    def below(self, count: int) -> int:
        """A whole number from 0 to count − 1."""
        self._drawn += 1
        return (mixed((self._key + self._drawn * GOLDEN) & MASK) * count) >> 64

    def choice(self, options: Sequence[T]) -> T:
        """One of them."""
        return options[self.below(len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """So many different ones, in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(count)]
