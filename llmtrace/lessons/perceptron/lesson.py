"""Perceptron: one neuron decides whether to go out, and then learns from other people what decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.perceptron.exercises import EXERCISES
from llmtrace.lessons.perceptron.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops import Weight, by_name
from llmtrace.ops.elementwise.add import add
from llmtrace.rng import derive, uniform
from llmtrace.trace import Run, Trace

EVERY = [(a, b, c) for a in (1, 0) for b in (1, 0) for c in (1, 0)]
"""All combinations of answers to three questions."""
TEST = 1000
"""The people whom the neuron is tested on, besides those it learns from."""


@dataclass
class Perceptron(Lesson):
    """The weights and the threshold of the first neuron, and the habits of the people that the second learns from."""

    name = "perceptron"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("all three answers are yes: the sum", "16", "everything.tensor('output.sum')[0]:.0f"),
        Article("sunny and affordable, nobody to go with: the sum", "12", "alone.tensor('output.sum')[0]:.0f"),
        Article("sunny only: the sum", "8", "only_sunny.tensor('output.sum')[0]:.0f"),
        Article(
            "the layers of the perceptron",
            "input, hidden, output",
            "', '.join(['input', *[name for name in neuron.layers if name != 'output'], 'output'])",
            "ours: a single neuron has no hidden layer",
        ),
        Article(
            "the lower the threshold",
            "the more willing",
            "'the more willing' if willing[0][1] > willing[-1][1] else 'the less'",
        ),
        Article(
            "the largest weight that was learned",
            "98",
            "found[:3].max():.2f",
            "both: the people are others, and a weight has no unit; ours times one number is 98 and decides the same",
        ),
    )

    sunny: float = 8.0
    affordable: float = 4.0
    company: float = 4.0
    threshold: float = 8.0
    habit_sunny: float = 3.0
    habit_affordable: float = 0.0
    habit_company: float = 6.0
    habit_threshold: float = 5.0
    mood: float = 3.0
    people: int = 10_000
    seed: int = 0

    def check(self) -> None:
        """LessonError where there are too few people or too many."""
        self.require_within({"people": (100, 100_000)})

    # ---- the neuron with given weights ---------------------------------------------------------------------------------

    @property
    def weights(self) -> tuple[float, float, float]:
        """The weights of the three answers."""
        return self.sunny, self.affordable, self.company

    @property
    def labels(self) -> dict[str, Sequence[str]]:
        """The labels of the inputs and the output."""
        return {"input": (_("sunny"), _("affordable"), _("company")), "output": (_("go"),)}

    @cached_property
    def neuron(self) -> Feedforward:
        """The neuron with the given weights, without a bias."""
        return Feedforward.of([self.weights], labels=self.labels)

    def sum_of(self, *answers: float) -> float:
        """The weighted sum of the neuron for some answers."""
        return float(self.neuron(answers)[0])

    @cached_property
    def answered(self) -> list[Trace]:
        """The neuron for all answers."""
        return [self.neuron.trace(case) for case in EVERY]

    @cached_property
    def everything(self) -> Trace:
        """The neuron where all three answers are yes."""
        return self.neuron.trace((1, 1, 1))

    @cached_property
    def alone(self) -> Trace:
        """The neuron on a sunny and affordable day with nobody to go with."""
        return self.neuron.trace((1, 1, 0))

    @cached_property
    def only_sunny(self) -> Trace:
        """The neuron on a day that is sunny, and nothing else."""
        return self.neuron.trace((1, 0, 0))

    @cached_property
    def cases(self) -> list[tuple[Any, ...]]:
        """All answers, each with the weighted sum and the neuron's decision."""
        sums = (self.recorded(f"answered.{n}", "output.sum", 0) for n in range(len(EVERY)))
        return [(*case, each, int(each > self.threshold)) for case, each in zip(EVERY, sums, strict=True)]

    @cached_property
    def goes(self) -> int:
        """In how many cases the neuron's decision is 1."""
        return sum(case[-1] for case in self.cases)

    @property
    def willing(self) -> list[tuple[Any, ...]]:
        """For some thresholds: in how many cases the decision is 1, and the decisions for sun alone and with company."""
        sums = {case: self.sum_of(*case) for case in EVERY}
        rows = []
        for share in (0.25, 0.5, 0.75):
            limit = share * self.sum_of(1, 1, 1)
            rows.append(
                (
                    limit,
                    sum(each > limit for each in sums.values()),
                    int(sums[1, 0, 0] > limit),
                    int(sums[1, 0, 1] > limit),
                )
            )
        return rows

    @cached_property
    def biased(self) -> Trace:
        """The neuron with the threshold as a bias, on a sunny and affordable day with nobody to go with."""
        net = Feedforward.of([self.weights], biases=[[-self.threshold]], labels=self.labels)
        return net.trace((1, 1, 0))

    # ---- learning ------------------------------------------------------------------------------------------------------

    @cached_property
    def answers(self) -> Array:
        """The answers of all people, [people, 3]: first those to learn from, then those of the test."""
        count = self.people + TEST
        drawn = uniform(derive(self.seed, "answers"), np.arange(3 * count)).reshape(count, 3)
        return (drawn < 0.5).astype(np.float32)

    @cached_property
    def went(self) -> Array:
        """Who went, [people]: whose sum by the habits and the day's mood was above the threshold."""
        habits = np.array([self.habit_sunny, self.habit_affordable, self.habit_company])
        moods = uniform(derive(self.seed, "moods"), np.arange(len(self.answers)))
        sums = dots(self.answers, habits)
        return (sums + (2 * moods - 1) * self.mood > self.habit_threshold).astype(np.float32)

    @cached_property
    def first_people(self) -> list[tuple[Any, ...]]:
        """The answers of the first six people, and what each did."""
        return [(n + 1, *map(int, self.answers[n]), int(self.went[n])) for n in range(6)]

    @cached_property
    def history(self) -> Array:
        """The weights and the bias after each person, [people + 1, 4]."""
        history = np.zeros((self.people + 1, 4), np.float32)
        inputs = np.column_stack([self.answers, np.ones(len(self.answers), np.float32)])
        for n in self.tracked(self.people):
            says = np.float32(dots(history[n], inputs[n]) > 0)
            history[n + 1] = history[n] + (self.went[n] - says) * inputs[n]
        return history

    def average(self, people: int) -> Array:
        """The mean of the weights and the bias over the second half of the first `people`."""
        return np.asarray(self.history[people // 2 + 1 : people + 1].mean(axis=0, dtype=np.float64).astype(np.float32))

    @cached_property
    def course(self) -> list[tuple[Any, ...]]:
        """The average weights and bias after some numbers of people."""
        return [(n, *self.average(n)) for n in sorted({10, 100, 1000, self.people}) if n <= self.people]

    @cached_property
    def found(self) -> Array:
        """The average weights and bias after all people."""
        return self.average(self.people)

    @property
    def largest(self) -> float:
        """The largest weight that an article's neuron has learned."""
        return 98.0

    @cached_property
    def scaled(self) -> Array:
        """The learned weights and bias, all times the number that makes the largest weight that of the article."""
        most = np.abs(self.found[:3]).max()
        return self.found * np.float32(self.largest / most if most else 1)

    @cached_property
    def changed(self) -> int:
        """For how many people of the test the scaled neuron decides otherwise."""
        net = Feedforward.of([self.scaled[:3]], biases=[[self.scaled[3]]], labels=self.labels)
        people = self.answers[self.people :]
        return int(np.sum((net(people) > 0) != (self.learner(people) > 0)))

    @cached_property
    def compared(self) -> list[tuple[Any, ...]]:
        """Each question with its weight in the habits, the weight that was learned, and this on the article's scale."""
        habits = (self.habit_sunny, self.habit_affordable, self.habit_company)
        return list(zip(self.labels["input"], habits, self.found[:3], self.scaled[:3], strict=True))

    @cached_property
    def decides(self) -> str:
        """The question with the largest learned weight."""
        return str(self.labels["input"][int(np.abs(self.found[:3]).argmax())])

    @cached_property
    def ignored(self) -> str:
        """The question with the smallest learned weight."""
        return str(self.labels["input"][int(np.abs(self.found[:3]).argmin())])

    @cached_property
    def learner(self) -> Feedforward:
        """The neuron with the learned weights."""
        return Feedforward.of([self.found[:3]], biases=[[self.found[3]]], labels=self.labels)

    @cached_property
    def learned_alone(self) -> Trace:
        """The learned neuron on a sunny and affordable day with nobody to go with."""
        return self.learner.trace((1, 1, 0))

    @cached_property
    def share_right(self) -> float:
        """The accuracy of the learned neuron on the people of the test, in per cent."""
        says = self.learner(self.answers[self.people :])[:, 0] > 0
        return 100 * float(np.mean(says == (self.went[self.people :] > 0)))

    @property
    def tested(self) -> int:
        """How many people the test has."""
        return TEST

    @cached_property
    def best_share(self) -> float:
        """The accuracy of somebody who knows the habits, but not the moods, on the people of the test, in per cent."""
        habits = np.array([self.habit_sunny, self.habit_affordable, self.habit_company])
        says = dots(self.answers[self.people :], habits) > self.habit_threshold
        return 100 * float(np.mean(says == (self.went[self.people :] > 0)))

    @cached_property
    def first_mistake(self) -> int:
        """The first person for whom the untrained neuron is wrong: it always decides 0, so it is the first who went."""
        return int(self.went.argmax())

    @cached_property
    def correction(self) -> Trace:
        """The first step of learning: the weights before it and after it."""
        names = ("input",)
        weights = Weight("weights", np.zeros(3, np.float32), names)
        answers = self.answers[self.first_mistake]
        trace = Trace(by_name([weights]), legend=LEGEND)
        trace.labels = dict(self.labels)
        with Run(trace.weights, trace) as run:
            person = run.leaf("answers", answers, names)
            run.do("new.weights", add, (weights, person), {}, names)
        return trace


def dots(a: Array, b: Array) -> Array:
    """The dot products of rows, added up from left to right: the same bits on every machine, which `@` doesn't promise."""
    return np.asarray((a * b).sum(axis=-1))
