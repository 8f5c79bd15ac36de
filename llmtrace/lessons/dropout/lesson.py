"""Dropout: some numbers are left out at random in training, as if many nets were trained that share their weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.dropout.exercises import EXERCISES
from llmtrace.lessons.dropout.nets import NEURONS, Curve, all_masks, course, dropped, over_masks
from llmtrace.lessons.dropout.words import LEGEND
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.leaf_or_flower.lesson import LeafOrFlower
from llmtrace.lessons.training.nets import noisy_curve
from llmtrace.ops.elementwise.dropout import dropout
from llmtrace.rng import uniform
from llmtrace.trace import Trace

SHOWN = (0, 100, 300, 1000, 2000)
PICTURES = (5, 9, 6)
"""The three masks that are shown: each keeps two of the four numbers."""
POINTS, OTHERS = 10, 60
DROPPED_LINES = (
    "ours: the paper leaves out numbers, and so does our op; to leave out single lines is called DropConnect"
)


@dataclass
class Dropout(Lesson):
    """The leaf, the share of numbers that is left out, and how the net that learns a curve is trained."""

    name = "dropout"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article(
            "the share that is left out in the three pictures", "50 %", "str(100 - int(100 * kept_in_pictures)) + ' %'"
        ),
        Article("used without dropout, the outputs are multiplied by (1 − p)", "0.5", "kept:.1f"),
        Article(
            "the first neuron, on average over all masks: half of −26.6",
            "−13.3",
            "over.tensor('mean'):.1f",
        ),
        Article("what is left out: lines or numbers", "lines", "'numbers'", DROPPED_LINES),
        Article(
            "and when the net is used",
            "× (1 − p)",
            "'nothing'",
            "both: our op multiplies by 1/(1 − p) in training instead, which has the same mean",
        ),
    )
    chosen = "which numbers are left out in the three pictures: any two of four."

    leaf: tuple[float, ...] = (32.0, 107.0, 56.0, 11.2)
    rate: float = 0.5
    curve_rate: float = 0.2
    noise: float = 0.3
    seed: int = 0

    def check(self) -> None:
        """LessonError where a share is none."""
        self.require_within({"rate": (0.05, 0.95), "curve_rate": (0, 0.9), "noise": (0, 2)})

    # ---- the first neuron of leaf and flower ---------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The names of what goes in."""
        return list(LeafOrFlower().labels["input"])

    @property
    def weights(self) -> Array:
        """The weights of the hidden layer of leaf and flower."""
        return LeafOrFlower().hidden

    @property
    def masks(self) -> Array:
        """Every way to keep or leave out the four numbers."""
        return all_masks(len(self.leaf))

    @property
    def kept(self) -> float:
        """The share that is kept."""
        return 1 - self.rate

    @cached_property
    def over(self) -> Trace:
        """The first neuron with each mask."""
        return over_masks(self.leaf, self.weights, self.masks, self.names, 0.5)

    @property
    def kept_in_pictures(self) -> float:
        """The share that is kept in the three pictures."""
        return float(self.masks[list(PICTURES)].mean())

    @property
    def pictures(self) -> list[tuple[Any, ...]]:
        """Three masks: what is left of the leaf, and what the first neuron adds up."""
        left, sums = self.recorded("over", "left"), self.recorded("over", "neuron")
        return [(n, *left[mask], *sums[mask]) for n, mask in enumerate(PICTURES, 1)]

    @property
    def shown_mask(self) -> int:
        """The first of them."""
        return PICTURES[0]

    @property
    def mask_table(self) -> list[tuple[Any, ...]]:
        """All masks and what the first neuron adds up, two beside each other."""
        sums, texts = self.recorded("over", "neuron"), ["".join("·●"[int(m)] for m in mask) for mask in self.masks]
        half = len(texts) // 2
        return [(texts[n], *sums[n], texts[n + half], *sums[n + half]) for n in range(half)]

    @property
    def whole(self) -> float:
        """What the first neuron adds up when nothing is left out."""
        return float(self.over.tensor("neuron")[0, 0])

    # ---- the op --------------------------------------------------------------------------------------------------------

    @cached_property
    def once(self) -> Trace:
        """The leaf's numbers in one step of training."""
        return dropped(self.leaf, self.names, self.rate, self.seed)

    @cached_property
    def again(self) -> Trace:
        """The leaf's numbers in another step."""
        return dropped(self.leaf, self.names, self.rate, self.seed + 1)

    @property
    def drawn(self) -> list[tuple[Any, ...]]:
        """For each number of the leaf: the random number, and what becomes of it, in two steps."""
        columns = (uniform(self.seed, np.arange(4)), *(self.recorded(step, "dropped") for step in ("once", "again")))
        return list(zip(self.names, self.leaf, *columns, strict=True))

    @cached_property
    def average(self) -> list[tuple[Any, ...]]:
        """The leaf's numbers, and the mean of what becomes of them in a thousand steps."""
        rows = np.tile(np.array(self.leaf, np.float32), (self.steps, 1))
        means = dropout.forward(rows, rate=self.rate, seed=self.seed, first=0).mean(axis=0, dtype=np.float64)
        return list(zip(self.names, self.leaf, means, strict=True))

    @property
    def steps(self) -> int:
        """In how many steps that is."""
        return 1000

    # ---- overfitting ---------------------------------------------------------------------------------------------------

    @property
    def points(self) -> tuple[int, int]:
        """How many points are learned, and how many are held out."""
        return POINTS, OTHERS

    @property
    def neurons(self) -> int:
        """How many neurons the net has."""
        return NEURONS

    @cached_property
    def step(self) -> Trace:
        """The first step of training with dropout, recorded."""
        return Curve(self.seed, self.curve_rate).traced(*noisy_curve(POINTS, self.noise, self.seed))

    @cached_property
    def plain_step(self) -> Trace:
        """The first step without dropout, recorded."""
        return Curve(self.seed, 0.0).traced(*noisy_curve(POINTS, self.noise, self.seed))

    @cached_property
    def fitted(self) -> list[tuple[Any, ...]]:
        """The losses of a net without dropout and of one with it, on what is learned and on what is held out."""
        known, others = noisy_curve(POINTS, self.noise, self.seed), noisy_curve(OTHERS, self.noise, self.seed + 1)
        nets = [Curve(self.seed, rate) for rate in (0.0, self.curve_rate)]
        return course(nets, known, others, SHOWN, self.tracked(SHOWN[-1] + 1))
