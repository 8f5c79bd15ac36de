"""Layer normalisation: each row is brought to mean 0 and deviation 1, so that deep nets can be trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson, input_text
from llmtrace.lessons.layer_normalisation.exercises import EXERCISES
from llmtrace.lessons.layer_normalisation.nets import EPSILON, Deep, marks_trace
from llmtrace.lessons.layer_normalisation.words import LEGEND
from llmtrace.lessons.leaf_or_flower.lesson import LeafOrFlower
from llmtrace.lessons.nets import side_by_side
from llmtrace.lessons.training.lesson import Training
from llmtrace.lessons.training.nets import samples
from llmtrace.loading import load
from llmtrace.models import as_language_model
from llmtrace.trace import Trace

SHOWN = (0, 20, 50, 100, 200)
LEARNED, EXAM = 80, 40
WIDTH = 8
LARGE = 1.5
OUTLIER = 900.0


@dataclass
class LayerNormalisation(Lesson):
    """Five marks, the scale and the shift, and the depth and the first weights of the nets that are trained."""

    name = "layer-normalisation"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article(
            "(x − 50)/40 of the marks 90, 80, 70, 60, 50", "1, 0.75, 0.5, 0.25, 0", "form(marked.tensor('between'))"
        ),
        Article(
            "the mean of the marks, and their deviation",
            "70, 14.142",
            "form([mean, round(deviation, 3)])",
        ),
        Article(
            "(x − M)/S of the marks",
            "1.4142, 0.7071, 0, −0.7071, −1.4142",
            "form([round(float(each), 4) for each in marked.tensor('normal')])",
        ),
        Article("the deviation, divided by N − 1 instead of N", "15.811", "form([round(other_deviation, 3)])"),
        Article(
            "what brings attention's scores between 0 and 1",
            "min–max",
            "'softmax'",
            "ours: min–max is neither in attention nor in layer norm; and “between 0 and 1” is not “centred at 0”",
        ),
        Article(
            "layer norm works on each number alone, like ReLU",
            "yes",
            "'no' if moved > 1 else 'yes'",
            "ours: mean and deviation are those of the whole row, so one number changes all; it works on each token alone",
        ),
    )
    chosen = "the scale and the shift of the marks, and the nets that are trained."

    marks: tuple[float, ...] = (90.0, 80.0, 70.0, 60.0, 50.0)
    gain: float = 2.0
    shift: float = 1.0
    layers: int = 8
    std: float = 0.15
    rate: float = 0.05
    prompt: str = "The king had a child"
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within({"layers": (2, 16), "std": (0.01, 3), "rate": (1e-5, 1)})
        if len(set(self.marks)) < 2:
            raise LessonError(_("the marks must not all be equal"))
        if not self.prompt.strip() or len(self.model.ids(self.prompt)) > self.model.config.context:
            raise LessonError(_("the prompt must have from 1 to {count} tokens", count=self.model.config.context))

    def form(self, numbers: Any) -> str:
        """Numbers with commas, as briefly as they can be written."""
        return ", ".join(f"{float(each):g}".replace("-", "−") for each in numbers)

    # ---- five marks ----------------------------------------------------------------------------------------------------

    @cached_property
    def marked(self) -> Trace:
        """The marks brought to a standard in several ways."""
        return marks_trace(self.marks, self.gain, self.shift)

    @property
    def mean(self) -> float:
        """The mean of the marks."""
        return sum(self.marks) / len(self.marks)

    @property
    def squares(self) -> float:
        """The squared differences from the mean, added up."""
        return sum((mark - self.mean) ** 2 for mark in self.marks)

    @property
    def deviation(self) -> float:
        """The standard deviation of the marks."""
        return math.sqrt(self.squares / len(self.marks))

    @property
    def other_deviation(self) -> float:
        """The one that is estimated from a sample."""
        return math.sqrt(self.squares / (len(self.marks) - 1))

    @property
    def plain_epsilon(self) -> str:
        """What is added to the variance, without an exponent."""
        return input_text(EPSILON)

    @property
    def mark_table(self) -> list[tuple[Any, ...]]:
        """Each mark, its difference from the mean, that squared, and the standardised mark."""
        rows = zip(self.marks, self.recorded("marked", "normal"), strict=True)
        return [(mark, mark - self.mean, (mark - self.mean) ** 2, normal) for mark, normal in rows]

    @property
    def ways(self) -> list[tuple[Any, ...]]:
        """The marks between 0 and 1, through softmax, and standardised."""
        return list(
            zip(self.marks, *(self.recorded("marked", name) for name in ("between", "shares", "normal")), strict=True)
        )

    @property
    def scaled_table(self) -> list[tuple[Any, ...]]:
        """The marks, standardised, and scaled and shifted."""
        return list(zip(self.marks, *(self.recorded("marked", name) for name in ("normal", "scaled")), strict=True))

    @property
    def slipped_marks(self) -> tuple[float, ...]:
        """The marks after the first has become far too large."""
        return (OUTLIER, *self.marks[1:])

    @cached_property
    def slipped(self) -> Trace:
        """The same for them."""
        return marks_trace(self.slipped_marks, self.gain, self.shift)

    @property
    def slipped_table(self) -> list[tuple[Any, ...]]:
        """The marks before and after the first has changed, standardised."""
        before, after = (self.recorded(trace, "normal") for trace in ("marked", "slipped"))
        return list(zip(self.marks, before, self.slipped_marks, after, strict=True))

    @property
    def moved(self) -> int:
        """How many of the standardised marks have changed, though only one mark has."""
        return int((self.marked.tensor("normal") != self.slipped.tensor("normal")).sum())

    # ---- deep nets -----------------------------------------------------------------------------------------------------

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """Leaves and flowers with their targets."""
        return samples(Training.leaf, LeafOrFlower.flower, LEARNED + EXAM, self.seed)

    def net(self, std: float, normed: bool) -> Deep:
        """An untrained net."""
        return Deep(self.layers, WIDTH, std, normed, self.seed, self.rate)

    @property
    def large(self) -> float:
        """The deviation of large first weights."""
        return LARGE

    @cached_property
    def plain(self) -> Trace:
        """The net without layer norm at three examples."""
        return self.net(self.std, False).trace(self.data[0][:3])

    @cached_property
    def normed(self) -> Trace:
        """The net with layer norm at three examples."""
        return self.net(self.std, True).trace(self.data[0][:3])

    @cached_property
    def spreads(self) -> list[tuple[Any, ...]]:
        """For each layer, the spread of what the neurons add up: small weights, large weights, small ones with layer norm."""
        ways = ((self.std, False), (LARGE, False), (self.std, True))
        columns = [self.net(*way).spreads(self.data[0][:LEARNED]) for way in ways]
        return [(n, *row) for n, row in enumerate(zip(*columns, strict=True), 1)]

    @cached_property
    def learning(self) -> list[tuple[Any, ...]]:
        """After some steps, without layer norm and with it: the loss, and how many of the exam are told right."""
        nets = [self.net(self.std, normed) for normed in (False, True)]
        return side_by_side(nets, self.data, LEARNED, SHOWN, self.tracked(SHOWN[-1] + 1))

    @property
    def examples(self) -> tuple[int, int]:
        """How many examples there are to learn from, and how many are held out."""
        return LEARNED, EXAM

    # ---- the bundled model ---------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> Any:
        """The bundled model."""
        return as_language_model(load())

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the prompt."""
        return self.model.trace(self.prompt)

    @property
    def tokens(self) -> list[tuple[Any, ...]]:
        """For each token: mean and deviation of its row before the first layer norm, standardised, and after it."""
        before, after = (
            self.real.tensor("embed").astype(np.float64),
            self.real.tensor("block.0.ln_1").astype(np.float64),
        )
        gain, shift = (self.model.weights[f"block.0.ln_1.{kind}"].data.astype(np.float64) for kind in ("gain", "bias"))
        plain = (after - shift) / gain
        names = [token.replace(" ", "_") for token in self.real.tokens]
        return [(name, x.mean(), x.std(), n.mean(), n.std()) for name, x, n in zip(names, before, plain, strict=True)]

    @property
    def norms(self) -> int:
        """How many layer norms the bundled model has."""
        return sum(name.rpartition(".")[0].rpartition(".")[2].startswith("ln_") for name in self.model.weights) // 2

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return int(self.model.config.width)
