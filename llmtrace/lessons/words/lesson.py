"""Nine words: parameter, hyperparameter, linear, non-linear, activation, learning rate, regularisation and its rate, fitting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson, input_text
from llmtrace.lessons.leaf_or_flower.lesson import LeafOrFlower
from llmtrace.lessons.words import steps
from llmtrace.lessons.words.exercises import EXERCISES
from llmtrace.lessons.words.words import LEGEND
from llmtrace.loading import load
from llmtrace.models import LanguageModel, as_language_model
from llmtrace.trace import Trace

RATES = (0.01, 0.1, 0.9, 1.1)
SHOWN = (0, 1, 2, 5, 10, 20)
PULLS = (0.0, 0.01, 1.0)
"""How strong the regularisation is in the table."""
NEURONS = (1, 24)


@dataclass
class Words(Lesson):
    """The numbers of a line and a curve, a learning rate, how strong the regularisation is, and the points that are learned."""

    name = "words"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("words of the introduction: nine", "9", "len(nine):.0f"),
        Article(
            "too small a learning rate",
            "more steps",
            "'more steps' if descents[-1][1] < descents[-1][2] < 3 else 'fewer'",
        ),
        Article(
            "a large regularisation rate",
            "smaller weights",
            "'smaller weights' if pulls[-1][3] < pulls[0][3] else 'larger ones'",
        ),
    )
    chosen = "all numbers: the introduction only explains the words."

    weights: tuple[float, ...] = (0.5, -0.3)
    first: tuple[float, ...] = (2.0, 1.0)
    second: tuple[float, ...] = (1.0, 3.0)
    rate: float = 0.1
    pull: float = 0.5
    noise: float = 0.3
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within({"rate": (1e-6, 2), "pull": (0, 10), "noise": (0, 2)})

    @property
    def nine(self) -> list[str]:
        """The nine words."""
        return [
            _("parameter"),
            _("hyperparameter"),
            _("linear"),
            _("non-linear"),
            _("activation function"),
            _("learning rate"),
            _("regularisation"),
            _("its rate λ"),
            _("underfitting and overfitting"),
        ]

    # ---- parameters and hyperparameters --------------------------------------------------------------------------------

    @cached_property
    def model(self) -> LanguageModel:
        """The bundled model."""
        return as_language_model(load())

    @property
    def parameters(self) -> list[tuple[Any, ...]]:
        """Two models and how many parameters they have."""
        leaf = LeafOrFlower()
        weights = {weight.name: weight for weight in self.model.weights.values()}
        return [
            (_("leaf or flower"), leaf.hidden.size + leaf.output.size),
            (self.model.name, sum(weight.data.size for weight in weights.values())),
        ]

    @property
    def one(self) -> float:
        """One of the bundled model's parameters."""
        return float(self.model.weights["block.0.mlp.up.weight"].data[0, 0])

    @property
    def hyperparameters(self) -> list[tuple[Any, ...]]:
        """The sizes of the bundled model."""
        c = self.model.config
        return [
            (_("blocks"), "--layers", c.blocks),
            (_("heads"), "--heads", c.heads),
            (_("width"), "--width", c.width),
            (_("longest text"), "--context", c.context),
            (_("tokens in the vocabulary"), "--vocabulary", c.vocabulary),
        ]

    # ---- linear and not ------------------------------------------------------------------------------------------------

    @cached_property
    def sums(self) -> Trace:
        """A neuron at a, b, a + b and 2·a, straight and bent."""
        return steps.sums(self.weights, self.first, self.second)

    def out(self, name: str, place: int) -> float:
        """What comes out at one of them."""
        return float(self.sums.tensor(name)[place, 0])

    @property
    def line(self) -> list[tuple[Any, ...]]:
        """The neuron's sum at all four."""
        return list(
            zip(self.sums.labels["example"], *zip(*self.recorded("sums", "straight"), strict=True), strict=True)
        )

    @property
    def curve(self) -> list[tuple[Any, ...]]:
        """The same, bent."""
        return list(zip(self.sums.labels["example"], *zip(*self.recorded("sums", "curved"), strict=True), strict=True))

    @cached_property
    def bends(self) -> Trace:
        """What activation functions make of some numbers."""
        return steps.bends((-3.0, -1.0, 0.0, 1.0, 3.0))

    @property
    def bend_table(self) -> list[tuple[Any, ...]]:
        """The same as a table."""
        return list(zip(*(self.recorded("bends", name) for name in ("x", *steps.ACTIVATIONS)), strict=True))

    # ---- learning rate -------------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> float:
        """What the weight is to become."""
        return float(steps.THREE[0])

    @cached_property
    def descents(self) -> list[tuple[Any, ...]]:
        """The weight after some steps, for several learning rates."""
        return steps.descents(RATES, SHOWN)

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rates of the table."""
        return RATES

    @cached_property
    def step(self) -> Trace:
        """One step with the given learning rate."""
        return steps.one_weight(self.rate).traced(steps.ONE, steps.THREE, {})

    @cached_property
    def pulled(self) -> Trace:
        """The second of two steps with regularisation."""
        descent = steps.one_weight(self.rate, self.pull)
        descent.step(steps.ONE, steps.THREE)
        return descent.traced(steps.ONE, steps.THREE, {})

    @cached_property
    def free(self) -> Trace:
        """The second of two steps without it."""
        descent = steps.one_weight(self.rate)
        descent.step(steps.ONE, steps.THREE)
        return descent.traced(steps.ONE, steps.THREE, {})

    # ---- fitting -------------------------------------------------------------------------------------------------------

    @property
    def sizes(self) -> dict[str, int]:
        """How many points are learned, how many are held out, and in how many steps."""
        return {"points": steps.POINTS, "others": steps.OTHERS, "steps": steps.STEPS, "neurons": NEURONS[-1]}

    @cached_property
    def pulls(self) -> list[tuple[Any, ...]]:
        """For several strengths of regularisation: both losses, and the spread of the weights."""
        return [(pull, *self.fitted(NEURONS[-1], pull)) for pull in PULLS]

    @cached_property
    def fits(self) -> list[tuple[Any, ...]]:
        """For nets of several sizes: both losses."""
        rows = [(neurons, *self.fitted(neurons, 0.0)[:2]) for neurons in NEURONS[:-1]]
        return [*rows, (NEURONS[-1], *self.pulls[0][1:3])]

    def fitted(self, neurons: int, pull: float) -> tuple[float, float, float]:
        """A net that has learned the points."""
        return steps.fitted(neurons, pull, self.noise, self.seed, self.tracked(steps.STEPS))

    def plain(self, number: float) -> str:
        """A number without an exponent."""
        return input_text(number)

    @property
    def best(self) -> float:
        """The strength with which the loss on held-out points is smallest."""
        return float(min(self.pulls, key=lambda row: row[2])[0])
