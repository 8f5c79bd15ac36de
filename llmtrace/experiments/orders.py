"""Orders of adding that known libraries have: in blocks, in lanes, with fused multiply-add. They change the last digits only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.experiments.situation import Cause, Situation
from llmtrace.i18n import N_


def fused(a: Array, b: Array, c: Array) -> Array:
    """a · b + c with one rounding: the product of two float32 is exact in float64."""
    a, b, c = np.broadcast_arrays(a, b, c)
    sums = Sums(a.shape)
    sums.now[...] = c
    sums.add(a.astype(np.float64), b)
    return sums.now.astype(np.float32)


LOW, HALF = 0x1FFFFFFF, 0x10000000
"""The bits that float64 has and float32 has not, and what they are halfway between two float32."""


class Sums:
    """Sums of float32 side by side, held in float64, to which products are added with one rounding (fused multiply-add)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.now = np.zeros(shape)
        self._product, self._exact = np.empty(shape), np.empty(shape)
        self._low, self._halfway = np.empty(shape, np.int64), np.empty(shape, np.bool_)
        self._rounded = np.empty(shape, np.float32)

    def add(self, a: Array, b: Array) -> None:
        """a · b to each: exact in float64, whose sum is then rounded to float32."""
        np.multiply(a, b, out=self._product)
        np.add(self._product, self.now, out=self._exact)
        np.bitwise_and(self._exact.view(np.int64), LOW, out=self._low)
        if np.equal(self._low, HALF, out=self._halfway).any():
            self._decide()
        np.copyto(self._rounded, self._exact, casting="same_kind")
        np.copyto(self.now, self._rounded)

    def _decide(self) -> None:
        """Where float64 has rounded to halfway, what it left out says to which side a sum belongs (Knuth, TAOCP, 4.2.2)."""
        x, y, near = (array[self._halfway] for array in (self._product, self.now, self._exact))
        back = near - x
        left_out = (x - (near - back)) + (y - back)
        toward = np.where(left_out == 0, near, np.copysign(np.inf, left_out))
        self._exact[self._halfway] = np.nextafter(near, toward)


AT_ONCE = 1 << 15
"""About how many sums are made side by side: so many stay near the processor."""


def product(x: Array, y: Array, edges: list[int], start: Array | None = None) -> Array:
    """x @ y with fused multiply-add in order from edge to edge; the sums of these blocks are added up, from `start` on."""
    sizes = *np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]
    out = np.empty(sizes, np.float32)
    wide, step = x.astype(np.float64), max(1, AT_ONCE * sizes[-1] // max(1, out.size))
    for first in range(0, sizes[-1], step):
        columns = slice(first, first + step)
        total = None if start is None else start[..., columns]
        for part in _blocks(wide, y[..., columns].astype(np.float64), edges):
            total = part if total is None else total + part
        out[..., columns] = total
    return out


def _blocks(x: Array, y: Array, edges: list[int]) -> Iterator[Array]:
    """The sums of the blocks; of those that are equally long, all side by side."""
    lengths = np.diff(edges)
    for length, group in groupby(range(len(lengths)), lambda n: lengths[n]):
        starts = np.array([edges[n] for n in group])
        a, b = np.moveaxis(x, -1, 0), np.moveaxis(y, -2, 0)
        sums = Sums((len(starts), *np.broadcast_shapes((*a.shape[1:], 1), (*b.shape[1:-1], 1, b.shape[-1]))))
        for k in range(length):
            sums.add(a[starts + k][..., None], b[starts + k][..., None, :])
        yield from sums.now.astype(np.float32)


def in_blocks(size: int) -> Cause:
    """A linear layer as MKL computes it: from so many inputs on in blocks, the bias before them all."""

    def cause(s: Situation) -> Array | None:
        x, weight, bias = s.matrix()
        count = len(weight)
        if count <= size or x.dtype != np.float32:
            return None
        start = None if bias is None else np.broadcast_to(bias, (*x.shape[:-1], len(bias)))
        return s.laid_out(product(x, weight, [*range(0, count, size), count], start))

    return cause


def scores_fused(s: Situation) -> Array:
    """Scores with fused multiply-add, multiplied by 1/√D in the end."""
    k = np.moveaxis(s["k"], -1, -2)
    out = product(s["q"], k, [0, k.shape[-2]]) * np.float32(float(s["q"].shape[-1]) ** -0.5)
    past = out.shape[-1] - out.shape[-2]
    seen = np.arange(out.shape[-1]) <= np.arange(out.shape[-2])[:, None] + past
    return np.where(seen, out, np.float32(-np.inf))


def mix_fused(s: Situation) -> Array:
    """A mix with fused multiply-add, over all keys."""
    return product(s["pattern"], s["v"], [0, s["v"].shape[-2]])


LANES, CHUNK = 8, 16
"""PyTorch's vectors of float32, and how many of them it gathers before it merges."""


def norm_in_lanes(s: Situation) -> Array | None:
    """Layer norm as PyTorch's CPU kernel does it: mean and squares gathered in one pass (Welford 1962), 8 lanes side by side.

    Of rows of more than two chunks the order of merging is another one; these are left open.
    """
    x = s["x"]
    if x.dtype != np.float32 or x.shape[-1] >= LANES * (2 * CHUNK + 1):
        return None
    mean, variance = moments(x)
    scale = (np.float32(1) / np.sqrt(variance + np.float32(s.settings["epsilon"])))[..., None]
    gain, bias = (np.broadcast_to(s[name], x.shape) for name in ("gain", "bias"))
    return fused((x - mean[..., None]) * scale, gain, bias)


Moments = tuple[int, Array, Array]
"""How many numbers, their mean, and the sum of the squares of their distances from it."""


def moments(x: Array) -> tuple[Array, Array]:
    """The mean and the variance of every row."""
    rows, size = x.shape[:-1], x.shape[-1]
    vectors = size // LANES
    lanes: Moments = _nothing((*rows, LANES))
    for first in range(0, vectors, CHUNK):
        lanes = _merged(_gathered(x, range(first, min(first + CHUNK, vectors))), lanes)
    found: Moments = _nothing(rows)
    for place in range(vectors * LANES, size):
        count, mean, squares = found[0] + 1, found[1], found[2]
        delta = x[..., place] - mean
        mean = mean + delta / np.float32(count)
        found = count, mean, fused(delta, x[..., place] - mean, squares)
    for lane in range(LANES if vectors else 0):
        found = _merged((vectors, lanes[1][..., lane], lanes[2][..., lane]), found)
    return found[1], found[2] / np.float32(size)


def _nothing(shape: tuple[int, ...]) -> Moments:
    return 0, np.zeros(shape, np.float32), np.zeros(shape, np.float32)


def _gathered(x: Array, vectors: range) -> Moments:
    _none, mean, squares = _nothing((*x.shape[:-1], LANES))
    for n, vector in enumerate(vectors, 1):
        numbers = x[..., vector * LANES : (vector + 1) * LANES]
        delta = numbers - mean
        mean = fused(delta, np.broadcast_to(np.float32(1) / np.float32(n), delta.shape), mean)
        squares = fused(delta, numbers - mean, squares)
    return len(vectors), mean, squares


def _merged(more: Moments, found: Moments) -> Moments:
    count = found[0] + more[0]
    share = np.broadcast_to(np.float32(more[0]) / np.float32(count), found[1].shape)
    delta = more[1] - found[1]
    weight = np.broadcast_to(np.float32(found[0]), delta.shape)
    squares = found[2] + fused(delta * delta * share, weight, more[2])
    return count, fused(share, delta, found[1]), squares


LAYER: dict[str, Cause] = {
    N_("fused multiply-add in blocks of 128, whose sums are added up (as in MKL)"): in_blocks(128),
    N_("fused multiply-add in blocks of 192, whose sums are added up (as in MKL)"): in_blocks(192),
    N_("fused multiply-add in blocks of 384, whose sums are added up (as in OpenBLAS)"): in_blocks(384),
}
FUSED = N_("one rounding for each product and addition (fused multiply-add)")
NORM = N_("mean and variance gathered in one pass in 8 lanes, with fused multiply-add (as in PyTorch)")
