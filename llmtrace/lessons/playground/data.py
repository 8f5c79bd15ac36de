"""The points of the playground, by the formulas of TensorFlow Playground, and what a net may be told of each point.

playground.tensorflow.org, Smilkov and Carter; the formulas are those of src/dataset.ts in its repository,
github.com/tensorflow/playground. Our random numbers are those of llmtrace.rng.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array
from llmtrace.lessons.playground.words import LEGEND
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.rng import derive, normal, permutation, uniform
from llmtrace.trace import Run, Trace

COUNT = 500
"""So many points has a set."""
EDGE = 6.0
"""The picture goes from −6 to 6, both ways."""
BUMPS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))
"""Where the hills (1) and hollows (−1) of the multi-Gaussian set are."""


@dataclass(frozen=True)
class Points:
    """Points of the plane, float32 [count] each: where they are, and what is wanted there, from −1 to 1."""

    x1: Array
    x2: Array
    wanted: Array

    def part(self, places: slice) -> Points:
        """Some of them."""
        return Points(self.x1[places], self.x2[places], self.wanted[places])

    def __len__(self) -> int:
        return len(self.wanted)


@dataclass(frozen=True)
class Dice:
    """Random numbers for `count` points, by what they are for; `noise` is from 0 to 0.5."""

    seed: int
    noise: float
    count: int

    def between(self, what: str, low: float, high: float) -> Array:
        """All numbers between two are as likely."""
        return np.asarray(low + (high - low) * uniform(derive(self.seed, what), np.arange(self.count)))

    def bell(self, what: str, middle: float, variance: float) -> Array:
        """Most numbers are near the middle."""
        return np.asarray(middle + math.sqrt(variance) * normal(derive(self.seed, what), (self.count,)))

    def moved(self, x: Array, what: str, reach: float) -> Array:
        """Where a point seems to be to whoever says what is wanted there."""
        return np.asarray(x + self.noise * self.between(f"noise of {what}", -reach, reach))

    def half(self, what: str) -> Dice:
        """Dice for one half of the points."""
        return Dice(derive(self.seed, what), self.noise, self.count // 2)


Made = tuple[Array, Array, Array]


def circle(dice: Dice) -> Made:
    """A disc of radius 2.5 in a ring from 3.5 to 5."""
    halves = []
    for what, low, high in (("disc", 0.0, 2.5), ("ring", 3.5, 5.0)):
        own = dice.half(what)
        x1, x2 = around(own.between("radius", low, high), own.between("angle", 0, 2 * math.pi))
        seen = own.moved(x1, "x1", 5.0), own.moved(x2, "x2", 5.0)
        halves.append((x1, x2, np.where(np.sqrt(seen[0] * seen[0] + seen[1] * seen[1]) < 2.5, 1.0, -1.0)))
    return joined(halves)


def exclusive_or(dice: Dice) -> Made:
    """Four squares: 1 where x1 and x2 have the same sign."""
    x1, x2 = (dice.between(name, -5, 5) for name in ("x1", "x2"))
    x1, x2 = (x + np.where(x > 0, 0.3, -0.3) for x in (x1, x2))
    return x1, x2, np.where(dice.moved(x1, "x1", 5.0) * dice.moved(x2, "x2", 5.0) >= 0, 1.0, -1.0)


def gaussian(dice: Dice) -> Made:
    """Two clouds, about (2, 2) and (−2, −2); noise makes them wider."""
    halves = []
    for label in (1.0, -1.0):
        own = dice.half(f"cloud {label:g}")
        x1, x2 = (own.bell(name, 2 * label, 0.5 + 7 * dice.noise) for name in ("x1", "x2"))
        halves.append((x1, x2, np.full(own.count, label)))
    return joined(halves)


def spiral(dice: Dice) -> Made:
    """Two arms, one half a turn behind the other, each with 1¾ turns."""
    halves = []
    for label, start in ((1.0, 0.0), (-1.0, math.pi)):
        own = dice.half(f"arm {label:g}")
        share = np.arange(own.count) / own.count
        x1, x2 = around(5 * share, 1.75 * share * 2 * math.pi + start)
        halves.append((own.moved(x1, "x1", 1.0), own.moved(x2, "x2", 1.0), np.full(own.count, label)))
    return joined(halves)


def plane(dice: Dice) -> Made:
    """A slope: a tenth of x1 + x2."""
    x1, x2 = (dice.between(name, -EDGE, EDGE) for name in ("x1", "x2"))
    return x1, x2, (dice.moved(x1, "x1", EDGE) + dice.moved(x2, "x2", EDGE)) / 10


def multi_gaussian(dice: Dice) -> Made:
    """Three hills and three hollows, each 2 wide; the one that is higher or deeper counts."""
    x1, x2 = (dice.between(name, -EDGE, EDGE) for name in ("x1", "x2"))
    seen = dice.moved(x1, "x1", EDGE), dice.moved(x2, "x2", EDGE)
    wanted = np.zeros(dice.count)
    for middle1, middle2, sign in BUMPS:
        d1, d2 = seen[0] - middle1, seen[1] - middle2
        own = sign * np.clip(1 - np.sqrt(d1 * d1 + d2 * d2) / 2, 0, 1)
        wanted = np.where(np.abs(own) > np.abs(wanted), own, wanted)
    return x1, x2, wanted


def around(radius: Array, angle: Array) -> tuple[Array, Array]:
    """The points so far from the middle, in these directions."""
    return radius * elementary.sin(angle), radius * elementary.cos(angle)


def joined(halves: Sequence[Made]) -> Made:
    """Both halves as one."""
    x1, x2, wanted = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    return x1, x2, wanted


SETS: dict[str, Callable[[Dice], Made]] = {
    "circle": circle,
    "xor": exclusive_or,
    "gaussian": gaussian,
    "spiral": spiral,
    "plane": plane,
    "multi-gaussian": multi_gaussian,
}
REGRESSION = frozenset({"plane", "multi-gaussian"})
"""Where the net is to give a number; elsewhere it is to say on which side a point is."""


def points(name: str, noise: float, seed: int) -> Points:
    """The points of a set, in random order."""
    made = SETS[name](Dice(derive(seed, name), noise, COUNT))
    order = permutation(derive(seed, "order"), COUNT)
    return Points(*(part[order].astype(np.float32) for part in made))


def grid(rows: int) -> Points:
    """The places of a picture, twice as many columns as rows, from the left of its top row on; nothing is wanted there."""
    down = EDGE - (np.arange(rows) + 0.5) * (2 * EDGE / rows)
    across = (np.arange(2 * rows) + 0.5) * (EDGE / rows) - EDGE
    x1, x2 = np.tile(across, rows), np.repeat(down, 2 * rows)
    return Points(x1.astype(np.float32), x2.astype(np.float32), np.zeros(x1.size, np.float32))


FEATURES = ("x1", "x2", "x1^2", "x2^2", "x1x2", "sinx1", "sinx2")
PRODUCTS = {"x1^2": ("x1", "x1"), "x2^2": ("x2", "x2"), "x1x2": ("x1", "x2")}


STEPS = {name: f"point.{name}.product" for name in PRODUCTS}
"""The names of the steps that make features."""


def features(where: Points, names: Sequence[str]) -> Trace:
    """What the net is told of each point: its coordinates, and what is made of them; each feature is a tensor [example]."""
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
    """The features of the points as rows [points, features]."""
    trace = features(where, names)
    return np.stack([trace.tensor(STEPS.get(name, name)) for name in names], axis=-1)
