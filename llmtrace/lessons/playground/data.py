"""The data sets of the playground, by the formulas of TensorFlow Playground, and the features of their points.

playground.tensorflow.org, Smilkov and Carter; the formulas are those of src/dataset.ts in its repository,
github.com/tensorflow/playground. The random numbers are those of llmtrace.rng.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.lessons.playground.words import LEGEND
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.rng import derive, normal, permutation, uniform
from llmtrace.trace import Run, Trace

COUNT = 500
"""The points of a data set."""
EDGE = 6.0
"""The picture goes from −6 to 6, in both directions."""
BUMPS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))
"""The centres of the hills (1) and hollows (−1) of the multi-Gaussian set."""


@frozen
class Points:
    """Points of the plane, float32 [count] each: their coordinates, and their targets from −1 to 1."""

    x1: Array
    x2: Array
    wanted: Array

    def part(self, places: slice) -> Points:
        """A slice of the points."""
        return Points(self.x1[places], self.x2[places], self.wanted[places])

    def __len__(self) -> int:
        return len(self.wanted)


@frozen
class Sampler:
    """Random numbers for `count` points, a stream for each purpose; `noise` is from 0 to 0.5."""

    seed: int
    noise: float
    count: int

    def uniform(self, what: str, low: float, high: float) -> Array:
        """Uniformly distributed numbers from `low` to `high`."""
        return np.asarray(low + (high - low) * uniform(derive(self.seed, what), np.arange(self.count)))

    def normal(self, what: str, middle: float, variance: float) -> Array:
        """Normally distributed numbers."""
        return np.asarray(middle + math.sqrt(variance) * normal(derive(self.seed, what), (self.count,)))

    def perturbed(self, x: Array, what: str, reach: float) -> Array:
        """Coordinates with the noise that moves a point before its target is read off."""
        return np.asarray(x + self.noise * self.uniform(f"noise of {what}", -reach, reach))

    def for_half(self, what: str) -> Sampler:
        """The sampler of one half of the points."""
        return Sampler(derive(self.seed, what), self.noise, self.count // 2)


Drawn = tuple[Array, Array, Array]


def circle(sampler: Sampler) -> Drawn:
    """A disc of radius 2.5 (1) within a ring from 3.5 to 5 (−1)."""
    halves = []
    for what, low, high in (("disc", 0.0, 2.5), ("ring", 3.5, 5.0)):
        own = sampler.for_half(what)
        x1, x2 = from_polar(own.uniform("radius", low, high), own.uniform("angle", 0, 2 * math.pi))
        seen = own.perturbed(x1, "x1", 5.0), own.perturbed(x2, "x2", 5.0)
        halves.append((x1, x2, np.where(np.sqrt(seen[0] * seen[0] + seen[1] * seen[1]) < 2.5, 1.0, -1.0)))
    return both_halves(halves)


def exclusive_or(sampler: Sampler) -> Drawn:
    """Four squares: 1 where x1 and x2 have the same sign, elsewhere −1."""
    x1, x2 = (sampler.uniform(name, -5, 5) for name in ("x1", "x2"))
    x1, x2 = (x + np.where(x > 0, 0.3, -0.3) for x in (x1, x2))
    return x1, x2, np.where(sampler.perturbed(x1, "x1", 5.0) * sampler.perturbed(x2, "x2", 5.0) >= 0, 1.0, -1.0)


def gaussian(sampler: Sampler) -> Drawn:
    """Two normal distributions about (2, 2) and (−2, −2); noise makes them wider."""
    halves = []
    for label in (1.0, -1.0):
        own = sampler.for_half(f"cloud {label:g}")
        x1, x2 = (own.normal(name, 2 * label, 0.5 + 7 * sampler.noise) for name in ("x1", "x2"))
        halves.append((x1, x2, np.full(own.count, label)))
    return both_halves(halves)


def spiral(sampler: Sampler) -> Drawn:
    """Two arms with 1¾ turns each, one half a turn behind the other."""
    halves = []
    for label, start in ((1.0, 0.0), (-1.0, math.pi)):
        own = sampler.for_half(f"arm {label:g}")
        share = np.arange(own.count) / own.count
        x1, x2 = from_polar(5 * share, 1.75 * share * 2 * math.pi + start)
        halves.append((own.perturbed(x1, "x1", 1.0), own.perturbed(x2, "x2", 1.0), np.full(own.count, label)))
    return both_halves(halves)


def plane(sampler: Sampler) -> Drawn:
    """A slope: the target is a tenth of x1 + x2."""
    x1, x2 = (sampler.uniform(name, -EDGE, EDGE) for name in ("x1", "x2"))
    return x1, x2, (sampler.perturbed(x1, "x1", EDGE) + sampler.perturbed(x2, "x2", EDGE)) / 10


def multi_gaussian(sampler: Sampler) -> Drawn:
    """Three hills and three hollows, each of radius 2; the target is that of the nearest."""
    x1, x2 = (sampler.uniform(name, -EDGE, EDGE) for name in ("x1", "x2"))
    seen = sampler.perturbed(x1, "x1", EDGE), sampler.perturbed(x2, "x2", EDGE)
    wanted = np.zeros(sampler.count)
    for middle1, middle2, sign in BUMPS:
        d1, d2 = seen[0] - middle1, seen[1] - middle2
        own = sign * np.clip(1 - np.sqrt(d1 * d1 + d2 * d2) / 2, 0, 1)
        wanted = np.where(np.abs(own) > np.abs(wanted), own, wanted)
    return x1, x2, wanted


def from_polar(radius: Array, angle: Array) -> tuple[Array, Array]:
    """The coordinates of points in polar coordinates."""
    return radius * elementary.sin(angle), radius * elementary.cos(angle)


def both_halves(halves: Sequence[Drawn]) -> Drawn:
    """Both halves of a data set as one."""
    x1, x2, wanted = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    return x1, x2, wanted


SETS: dict[str, Callable[[Sampler], Drawn]] = {
    "circle": circle,
    "xor": exclusive_or,
    "gaussian": gaussian,
    "spiral": spiral,
    "plane": plane,
    "multi-gaussian": multi_gaussian,
}
REGRESSION = frozenset({"plane", "multi-gaussian"})
"""The data sets for regression; the others are for classification."""


def points(name: str, noise: float, seed: int) -> Points:
    """The points of a data set, in random order."""
    made = SETS[name](Sampler(derive(seed, name), noise, COUNT))
    order = permutation(derive(seed, "order"), COUNT)
    return Points(*(part[order].astype(np.float32) for part in made))


def grid(rows: int) -> Points:
    """The cells of a picture with twice as many columns as rows, row by row from the top left, without targets."""
    down = EDGE - (np.arange(rows) + 0.5) * (2 * EDGE / rows)
    across = (np.arange(2 * rows) + 0.5) * (EDGE / rows) - EDGE
    x1, x2 = np.tile(across, rows), np.repeat(down, 2 * rows)
    return Points(x1.astype(np.float32), x2.astype(np.float32), np.zeros(x1.size, np.float32))


FEATURES = ("x1", "x2", "x1^2", "x2^2", "x1x2", "sinx1", "sinx2")
PRODUCTS = {"x1^2": ("x1", "x1"), "x2^2": ("x2", "x2"), "x1x2": ("x1", "x2")}


STEPS = {name: f"point.{name}.product" for name in PRODUCTS}
"""The names of the steps that make features."""


def features(where: Points, names: Sequence[str]) -> Trace:
    """The features of points: their coordinates, and products and sines of them, each a tensor [example]."""
    axes, trace = ("example",), Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        x = {name: run.leaf(name, data, axes) for name, data in (("x1", where.x1), ("x2", where.x2))}
        for name in names:
            if name in PRODUCTS:
                first, second = PRODUCTS[name]
                run(STEPS[name], multiply, x[first], x[second])
            elif name.startswith("sin"):
                run.leaf(name, elementary.sin(x[name.removeprefix("sin")].data), axes)
    return trace


def table(where: Points, names: Sequence[str]) -> Array:
    """The features of points, [point, feature]."""
    trace = features(where, names)
    return np.stack([trace.tensor(STEPS.get(name, name)) for name in names], axis=-1)
