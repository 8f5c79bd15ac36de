"""Vectors and spaces: vectors as points and arrows, softmax, one-hot vectors, cosine similarity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.vectors_and_spaces.exercises import EXERCISES
from llmtrace.lessons.vectors_and_spaces.steps import cosine_trace, softmax_trace
from llmtrace.lessons.vectors_and_spaces.words import LEGEND
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Run, Trace
from llmtrace.views.figures import Scatter


def pair(vector: Sequence[float]) -> str:
    """A vector as text: `(2, −3)`."""
    return f"({', '.join(f'{number:g}' for number in vector)})".replace("-", "−")


def nearest(vector: Sequence[float], others: Mapping[str, Sequence[float]], leave: Set[str]) -> str:
    """The name of the nearest of others, but for some that are left out."""
    return min(others.keys() - leave, key=lambda name: (math.dist(vector, others[name]), name))


@dataclass
class VectorsAndSpaces(Lesson):
    """Points, scores, a token, and the vectors of four animals."""

    name = "vectors-and-spaces"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("softmax of (1, 2, 3), first", "0.09", "shares_of(1, 2, 3)[0]:.2f"),
        Article("softmax of (1, 2, 3), second", "0.24", "shares_of(1, 2, 3)[1]:.2f"),
        Article(
            "softmax of (1, 2, 3), third",
            "0.66",
            "shares_of(1, 2, 3)[2]:.2f",
            "ours: it is 0.6652…, which rounds to 0.67; and the three must add up to 1",
        ),
        Article("softmax of (−9, −8, −7), first", "0.09", "shares_of(-9, -8, -7)[0]:.2f"),
        Article("softmax of (−9, −8, −7), second", "0.24", "shares_of(-9, -8, -7)[1]:.2f"),
        Article(
            "softmax of (−9, −8, −7), third",
            "0.66",
            "shares_of(-9, -8, -7)[2]:.2f",
            "ours: as above, for it is the same share",
        ),
        Article("softmax of (1, 2, 5)", "0.02, 0.05, 0.94", "shares_of(1, 2, 5):.2f"),
        Article("how many numbers the one-hot vector of “The” has", "50,257", "len(one_hot):,"),
        Article("the place of its 1", "464", "one_hot.argmax()"),
        Article(
            "the dot product shows the projection of one vector onto",
            "the perpendicular",
            "'the other vector'",
            "ours: divided by the length of a vector, it is how far the other one reaches along it",
        ),
    )
    chosen = "the numbers of the animals."

    plane: tuple[float, ...] = (2.0, -3.0)
    space: tuple[float, ...] = (5.0, 1.0, -7.0)
    scores: tuple[float, ...] = (1.0, 2.0, 3.0)
    lower: float = 10.0
    last: float = 5.0
    vocabulary: int = 50_257
    token: int = 464
    cat: tuple[float, ...] = (0.9, 0.4)
    lion: tuple[float, ...] = (0.8, -0.5)
    dog: tuple[float, ...] = (-0.9, 0.5)
    wolf: tuple[float, ...] = (-0.8, -0.4)
    short: tuple[float, ...] = (1.0, 2.0)
    long: tuple[float, ...] = (8.0, 16.0)

    def check(self) -> None:
        """LessonError where the vocabulary has no such token, or a vector has no direction."""
        self.require_within({"vocabulary": (1, 1_000_000)})
        self.require_within({"token": (0, self.vocabulary - 1)})
        for key in ("cat", "lion", "dog", "wolf", "short", "long"):
            if not any(getattr(self, key)):
                raise LessonError(_("{key} must not be all 0: it would have no direction", key=key))

    @cached_property
    def points(self) -> Scatter:
        """The vector `plane` as a point."""
        return Scatter({pair(self.plane): (self.plane[0], self.plane[1])})

    @cached_property
    def one_hot(self) -> Array:
        """The one-hot vector of the token, as long as the vocabulary."""
        vector = np.zeros(self.vocabulary, np.float32)
        vector[self.token] = 1
        return vector

    # ---- softmax -------------------------------------------------------------------------------------------------------

    def shares_of(self, *scores: float) -> Array:
        """The softmax of some scores."""
        return softmax_trace(scores)["softmax.shares"].output

    @cached_property
    def soft(self) -> Trace:
        """The softmax of the scores, step by step."""
        return softmax_trace(self.scores)

    @property
    def lowered(self) -> tuple[float, ...]:
        """The scores, all less by the same amount."""
        return tuple(score - self.lower for score in self.scores)

    @cached_property
    def soft_lowered(self) -> Trace:
        """The softmax of the lowered scores, step by step."""
        return softmax_trace(self.lowered)

    @cached_property
    def soft_last(self) -> Trace:
        """The softmax of the scores with another last one, step by step."""
        return softmax_trace((*self.scores[:2], self.last))

    @cached_property
    def softmaxes(self) -> list[tuple[Any, ...]]:
        """Three times three scores with their softmax."""
        traces = ("soft", "soft_lowered", "soft_last")
        return [(*self.recorded(each, "scores"), "", *self.recorded(each, "softmax.shares")) for each in traces]

    # ---- animals -------------------------------------------------------------------------------------------------------

    @property
    def animals(self) -> dict[str, tuple[float, ...]]:
        """The vectors of four animals by name."""
        return {_("cat"): self.cat, _("lion"): self.lion, _("dog"): self.dog, _("wolf"): self.wolf}

    @cached_property
    def animals_plane(self) -> Scatter:
        """The animals as points, with their vectors."""
        return Scatter({f"{name} {pair(v)}": (v[0], v[1]) for name, v in self.animals.items()})

    @property
    def daily(self) -> dict[str, tuple[float, float]]:
        """The vectors of these animals and of two more in daily life: how tame they are, and how large."""
        own = ((0.9, -0.6), (-0.8, 0.6), (0.9, -0.1), (-0.7, 0.1))
        return dict(zip(self.animals, own, strict=True)) | {_("tiger"): (-0.9, 0.8), _("coyote"): (-0.5, -0.2)}

    @cached_property
    def daily_plane(self) -> Scatter:
        """These as points."""
        return Scatter({f"{name} {pair(v)}": v for name, v in self.daily.items()})

    @property
    def nearest_family(self) -> str:
        """What is nearest to the cat in the first picture."""
        return nearest(self.cat, self.animals, {_("cat")})

    @property
    def nearest_daily(self) -> str:
        """What is nearest to the cat in daily life."""
        return nearest(self.daily[_("cat")], self.daily, {_("cat")})

    @property
    def added(self) -> list[tuple[Any, ...]]:
        """The step from cat to lion, and the dog after the same step."""
        step = np.subtract(self.lion, self.cat)
        return [(_("from cat to lion"), *step), (_("dog"), *self.dog), (_("their sum"), *np.add(self.dog, step))]

    @property
    def added_nearest(self) -> str:
        """The animal that is nearest to the dog after this step."""
        return nearest(self.added[-1][1:], self.animals, {_("dog")})

    @cached_property
    def picked(self) -> Trace:
        """A one-hot vector times the table of the animals: the row of the dog."""
        names = tuple(self.animals)
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"word": names, "input": names}
        table = np.array(list(self.animals.values()), np.float32)
        with Run({}, trace) as run:
            hot = run.leaf("one_hot", np.array([0, 0, 1, 0], np.float32), ("input",))
            rows = run.leaf("table", table, ("input", "feature"))
            run.do("row.picked", linear, (hot, rows, None), {}, ("feature",))
        return trace

    @cached_property
    def cat_and_lion(self) -> Trace:
        """The cosine of cat and lion, step by step."""
        return cosine_trace(self.cat, self.lion)

    @cached_property
    def cat_and_wolf(self) -> Trace:
        """The cosine of cat and wolf, step by step."""
        return cosine_trace(self.cat, self.wolf)

    @cached_property
    def cosines(self) -> Array:
        """The cosines of all pairs of animals, [animal, animal]."""
        all_ = self.animals.values()
        return np.array([[float(cosine_trace(a, b)["cosine"].output[0]) for b in all_] for a in all_], np.float32)

    @cached_property
    def same_way(self) -> Trace:
        """The cosine of a short vector and a long one, step by step."""
        return cosine_trace(self.short, self.long)
