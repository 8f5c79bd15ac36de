"""How the numbers of a tensor are spread: smallest, largest, and a small histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.text import Text

from llmtrace.arithmetic.lines import to_plain
from llmtrace.arithmetic.types import Array
from llmtrace.render.terminal.palette import BLANK, COLOURS, background, levels

BINS = 10
LIMIT = 1 << 20
"""Tensors with more numbers than this are counted from every n-th number; their smallest and largest are exact."""
HISTOGRAM = " .:-=+*#%@"


@dataclass(frozen=True)
class Spread:
    """`counts` of the finite numbers in equal steps from `low` to `high`, counted from every `every`-th number."""

    low: Any
    high: Any
    counts: tuple[int, ...]
    not_finite: int
    every: int = 1

    def levels(self, count: int) -> list[int]:
        """A shade for each bin, by its share of the fullest one; BLANK for an empty one."""
        counts = np.array(self.counts)
        found: list[int] = levels(counts, 0, max(1, int(counts.max())), count, counts == 0).tolist()
        return found

    def picture(self, colour: bool) -> Text:
        """The histogram in one line, a column for each bin."""
        if not any(self.counts):
            return Text(" " * BINS)
        if colour:
            cells = ((" ", background(level) if level != BLANK else "") for level in self.levels(len(COLOURS)))
            return Text.assemble(*cells)
        return Text("".join(HISTOGRAM[level + 1] for level in self.levels(len(HISTOGRAM) - 1)))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "smallest": None if self.low is None else to_plain(np.asarray(self.low))["values"],
            "largest": None if self.high is None else to_plain(np.asarray(self.high))["values"],
            "not_finite": self.not_finite,
            "histogram": list(self.counts),
            "histogram_of_every": self.every,
        }


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
        return Spread(None, None, (0,) * BINS, flat.size)
    every = _step(flat.size, values.shape[-1] if values.ndim else 1)
    counts, _edges = np.histogram(_finite(flat[::every]), BINS, (float(low), float(high)))
    return Spread(low, high, tuple(int(n) for n in counts), flat.size - finite, every)


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def _step(size: int, row: int) -> int:
    """Every how many numbers one is counted: never in step with the rows, so that no column is preferred."""
    step = -(-size // LIMIT)
    while step > 1 and math.gcd(step, row) > 1:
        step += 1
    return step
