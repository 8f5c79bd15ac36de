"""How the numbers of a tensor are distributed: smallest, largest, and how many lie in each of some equal steps between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.views.document import Histogram

BINS = 10
LIMIT = 1 << 20
"""Tensors with more numbers than this are counted from every n-th number; their smallest and largest are exact."""


@frozen
class Spread:
    """The finite numbers of a tensor, counted in equal steps from the smallest to the largest."""

    smallest: Any
    largest: Any
    not_finite: int
    histogram: tuple[int, ...]
    histogram_of_every: int = 1
    """Only every so manieth number is counted."""

    @property
    def picture(self) -> Histogram:
        """The histogram as it is shown."""
        return Histogram(self.histogram)


def spread(values: Array) -> Spread:
    """Counts the numbers of a tensor."""
    flat = values.reshape(-1)
    low = high = None
    finite = 0
    for start in range(0, flat.size, LIMIT):
        part = _finite(flat[start : start + LIMIT])
        if part.size:
            finite += part.size
            low = part.min() if low is None else min(low, part.min())
            high = part.max() if high is None else max(high, part.max())
    if low is None or high is None:
        return Spread(None, None, flat.size, (0,) * BINS)
    every = _step(flat.size, values.shape[-1] if values.ndim else 1)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            counts, _edges = np.histogram(_finite(flat[::every]), BINS, (float(low), float(high)))
    except (ValueError, IndexError):  # numbers so large that steps between them can't be told apart, or are infinite
        return Spread(low, high, flat.size - finite, (0,) * BINS, every)
    return Spread(low, high, flat.size - finite, tuple(int(n) for n in counts), every)


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def _step(size: int, row: int) -> int:
    """Every how many numbers one is counted: never in step with the rows, so that no column is preferred."""
    step = -(-size // LIMIT)
    while step > 1 and math.gcd(step, row) > 1:
        step += 1
    return step
