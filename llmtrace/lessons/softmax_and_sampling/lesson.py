"""Softmax and sampling: scores become probabilities, and a random number draws one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.leaf_or_flower.lesson import LeafOrFlower
from llmtrace.lessons.next_character.characters import ALPHABET, RHYME, normalised, numbers, visible, window
from llmtrace.lessons.next_character.reader import Reader, train, untrained
from llmtrace.lessons.softmax_and_sampling import steps
from llmtrace.lessons.softmax_and_sampling.exercises import EXERCISES
from llmtrace.lessons.softmax_and_sampling.words import LEGEND
from llmtrace.lessons.training.lesson import Training
from llmtrace.loading import load
from llmtrace.models import as_language_model
from llmtrace.models.generation import Sampling
from llmtrace.trace import Trace

LETTERS, NEURONS, STEPS = 12, 32, 600
"""The net of the lesson next-character."""
CURVE = (-10.0, -1.0, 0.0, 1.0, 5.0, 10.0)
WANTED = (1.0, 0.0)
FIRST = 5
"""How many letters are in play."""

CHANCES = "choice.0.probabilities"
"""From these a letter is drawn."""


@dataclass
class SoftmaxAndSampling(Lesson):
    """Two answers of a net, a place of the rhyme, when the training is stopped, and how a letter is drawn."""

    name = "softmax-and-sampling"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("wanted (1, 0), got (5, 1): the loss", "5", "sure_loss.tensor('apart.total'):.0f"),
        Article("wanted (1, 0), got (0, 1): the loss", "2", "wrong_loss.tensor('apart.total'):.0f"),
        Article("the logistic curve at 5", "0.9933", "curve.tensor('squashed')[4]:.4f"),
        Article("the logistic curve at 1", "0.7311", "curve.tensor('squashed')[3]:.4f"),
        Article("the logistic curve at 0", "0.5", "curve.tensor('squashed')[2]:.1f"),
        Article("numbers in, chances out", "10, 10", "[len(ten.tensor('scores')), len(ten.tensor('ten.shares'))]"),
        Article(
            "a wrong u first, the right letter a close second",
            "after “humpty du”: u, m",
            "'after “' + start + '”: ' + ', '.join(names[:2])",
            "the article's is made up; ours is a net that was stopped early, where it really happens",
        ),
    )
    chosen = "the ten scores; at which place of the rhyme, and after how many steps, the net is looked at."

    sure: tuple[float, ...] = (5.0, 1.0)
    wrong: tuple[float, ...] = (0.0, 1.0)
    start: str = "put humpty t"
    stop: int = 33
    temperature: float = 0.5
    top_k: int = 2
    top_p: float = 0.8
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within({"stop": (1, 300), "temperature": (0.05, 20), "top_k": (1, FIRST), "top_p": (0.01, 1)})
        if normalised(self.start) != self.start or self.start not in RHYME[:-1] or len(self.start) < 2:
            raise LessonError(_("start must be a part of the rhyme, not {start}", start=repr(self.start)))

    # ---- shares --------------------------------------------------------------------------------------------------------

    @property
    def outputs(self) -> list[str]:
        """The names of the two outputs."""
        return list(LeafOrFlower().labels["output"])

    @property
    def before(self) -> float:
        """What the lesson on leaf and flower wanted of the output leaf."""
        return Training.wanted[0]

    @property
    def millions(self) -> int:
        """A number that is large, too."""
        return 10_000_000

    @property
    def wanted(self) -> tuple[float, ...]:
        """What is wanted for a leaf."""
        return WANTED

    @cached_property
    def sure_loss(self) -> Trace:
        """How far the answer that is right and too sure is from what is wanted."""
        return steps.apart(self.sure, WANTED, self.outputs)

    @cached_property
    def wrong_loss(self) -> Trace:
        """How far the wrong answer is from what is wanted."""
        return steps.apart(self.wrong, WANTED, self.outputs)

    @cached_property
    def curve(self) -> Trace:
        """The logistic curve at some scores."""
        return steps.squashed(CURVE)

    @property
    def curve_table(self) -> list[tuple[Any, ...]]:
        """Scores, the logistic curve there, and the share of the score beside 0."""
        squashed, pairs = (self.recorded("curve", name) for name in ("squashed", "pair.shares"))
        return [(score, each, pair[0]) for score, each, pair in zip(CURVE, squashed, pairs, strict=True)]

    @property
    def divided(self) -> list[tuple[Any, ...]]:
        """Pairs of scores divided by their sum."""
        pairs = (self.sure, (2.0, 1.0), (2.0, -1.0), (1.0, -0.99))
        return [(a, b, a / (a + b), b / (a + b)) for a, b in pairs if a + b]

    @cached_property
    def ten(self) -> Trace:
        """Ten scores become ten shares."""
        scores = np.array([2, 0.5, -1, 3, 0, 1, -2, 1.5, -0.5, 2.5], np.float32)
        return steps.shares(scores, [str(digit) for digit in range(10)])

    @property
    def ten_table(self) -> list[tuple[Any, ...]]:
        """The ten scores, their powers and their shares."""
        columns = (self.recorded("ten", name) for name in ("scores", "powers", "ten.shares"))
        return [(n, *row) for n, row in enumerate(zip(*columns, strict=True))]

    # ---- the net that was stopped early --------------------------------------------------------------------------------

    @cached_property
    def readers(self) -> tuple[Reader, Reader]:
        """The net of the lesson next-character, stopped early and trained to the end."""
        made = train(untrained(LETTERS, NEURONS, self.seed), RHYME, STEPS, [self.stop], self.tracked)
        return next(each.reader for each in made if each.step == self.stop), made[-1].reader

    @property
    def steps_in_all(self) -> int:
        """The steps of the whole training."""
        return STEPS

    @cached_property
    def all_scores(self) -> Array:
        """The scores of the net that was stopped early, after the start."""
        return self.readers[0].net(numbers(window(self.start, LETTERS)))

    @cached_property
    def places(self) -> list[int]:
        """The letters with the largest scores, from the largest on."""
        return [int(n) for n in np.argsort(-self.all_scores, kind="stable")[:FIRST]]

    @property
    def names(self) -> list[str]:
        """Those letters."""
        return [visible(ALPHABET[n]) for n in self.places]

    @property
    def scores(self) -> Array:
        """Their scores."""
        return self.all_scores[self.places]

    @property
    def right(self) -> str:
        """The letter that follows in the rhyme."""
        return visible(RHYME[RHYME.index(self.start) + len(self.start)])

    @property
    def right_rank(self) -> int:
        """At which place the right letter is, from 0; the number of letters in play where it is not among them."""
        return self.names.index(self.right) if self.right in self.names else FIRST

    @cached_property
    def plain(self) -> Array:
        """The shares of the letters in play."""
        return steps.chances(self.scores, self.names, Sampling())

    @property
    def first_letters(self) -> list[tuple[Any, ...]]:
        """The letters in play, their scores and their shares."""
        return list(
            zip(
                self.names,
                *(self.recorded("draw", f"choice.0.{name}") for name in ("logits", "probabilities")),
                strict=True,
            )
        )

    @cached_property
    def goes_on(self) -> list[tuple[Any, ...]]:
        """What the net, trained to the end, writes after each of the two first letters."""
        return [
            (name, visible(self.readers[1].write(self.start + name.replace("_", " "), 14))) for name in self.names[:2]
        ]

    # ---- drawing -------------------------------------------------------------------------------------------------------

    @cached_property
    def draw(self) -> Trace:
        """One letter is drawn."""
        return steps.drawn(self.scores, self.names, Sampling(seed=self.seed))

    @property
    def letter(self) -> str:
        """The letter that is drawn."""
        return self.names[int(self.draw.tensor("choice.0.token"))]

    @property
    def number(self) -> float:
        """The random number."""
        return float(self.draw.tensor("choice.0.number"))

    @property
    def running(self) -> list[tuple[Any, ...]]:
        """The letters in play, their shares, and the running total."""
        return list(zip(self.names, self.recorded("draw", CHANCES), np.cumsum(self.plain), strict=True))

    @property
    def draws(self) -> int:
        """How often it is drawn."""
        return steps.DRAWS

    @cached_property
    def counts(self) -> list[tuple[Any, ...]]:
        """How often each letter comes."""
        return steps.counted(self.scores, self.names, self.seed)

    @cached_property
    def warmed(self) -> Trace:
        """A letter is drawn with a temperature."""
        return steps.drawn(self.scores, self.names, Sampling(self.temperature, seed=self.seed))

    @property
    def temperatures(self) -> list[tuple[Any, ...]]:
        """The shares of the letters with several temperatures."""
        columns = (self.recorded(trace, CHANCES) for trace in ("warmed", "draw", "hot"))
        return list(zip(self.names, *columns, strict=True))

    @cached_property
    def hot(self) -> Trace:
        """A letter is drawn with a high temperature."""
        return steps.drawn(self.scores, self.names, Sampling(5.0, seed=self.seed))

    @cached_property
    def few(self) -> Trace:
        """A letter is drawn from the first k."""
        return steps.drawn(self.scores, self.names, Sampling(top_k=self.top_k, seed=self.seed))

    @cached_property
    def enough(self) -> Trace:
        """A letter is drawn from the first ones that together reach p."""
        return steps.drawn(self.scores, self.names, Sampling(top_p=self.top_p, seed=self.seed))

    @property
    def cut(self) -> list[tuple[Any, ...]]:
        """The shares of all letters, their running total, and the shares with top-k and with top-p."""
        totals = np.cumsum(self.plain)
        columns = (self.recorded(trace, CHANCES) for trace in ("few", "enough"))
        return list(zip(self.names, self.recorded("draw", CHANCES), totals, *columns, strict=True))

    @cached_property
    def stories(self) -> list[tuple[Any, ...]]:
        """What the bundled model writes, with several ways of choosing."""
        model, begin = as_language_model(load()), "Once upon a time"
        ways = ((0.0, 0), (1.0, self.seed), (1.0, self.seed + 1), (3.0, self.seed))
        rows: list[tuple[Any, ...]] = []
        for temperature, seed in ways:
            new = model.generate(begin, 14, Sampling(temperature, seed=seed))
            rows.append((f"{temperature:g}", begin + "".join(choice.written for choice in new).replace("\n", " ")))
        return rows
