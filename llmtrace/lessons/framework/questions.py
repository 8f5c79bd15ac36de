"""Exercises in words: the question, and the reply to an answer, which is right or made by a typical mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.framework.text import ExerciseText, filled, formatted, lesson_text

NEAR = 0.0051
"""The largest error of a right answer: two decimals are enough."""
LARGEST = 1e12
"""Answers are smaller."""
SOLUTION = "solution"
"""The name of the help that says how the answer is found."""
HINT = "hint"
"""The name of the help for a wrong answer that no known mistake leads to."""


@frozen
class Reply:
    """The reply to an answer."""

    right: bool
    text: str
    is_answer: bool = True
    """Whether the answer was a number."""


@frozen
class Question:
    """An exercise in the words of the lesson's text."""

    exercise: Exercise
    text: ExerciseText
    lesson: Lesson

    @property
    def question(self) -> str:
        """The question in words."""
        return filled(self.text.question, self.lesson, self.exercise.values)

    @property
    def answer(self) -> str:
        """The right answer as text."""
        return formatted(round(self.exercise.answer, 6), None)

    @property
    def solution(self) -> str:
        """The way to the right answer, in words."""
        return self._help(SOLUTION)

    @property
    def full_answer(self) -> str:
        """The right answer, and the way to it."""
        return _("Answer: {answer}. {solution}", answer=self.answer, solution=self.solution)

    @property
    def mistakes(self) -> list[tuple[float, str]]:
        """The answers that known mistakes lead to, each with what is said to it."""
        return [(float(wrong), self._help(name)) for name, wrong in self.exercise.mistakes.items()]

    @property
    def hint(self) -> str:
        """What is said to any other wrong answer; "" where the text has nothing for it."""
        return self._help(HINT) if HINT in self.text.helps else ""

    def check(self, answer: str) -> Reply:
        """The reply to an answer as it was typed."""
        numbers = parse_numbers(answer)
        if not numbers:
            return Reply(False, _("Answer with a number, such as {example}.", example="−3.5"), is_answer=False)
        if near(numbers, self.exercise.answer):
            return Reply(True, _("Right: {solution}", solution=self.solution))
        for name, wrong in self.exercise.mistakes.items():
            if near(numbers, float(wrong)):
                return Reply(False, self._help(name))
        if near(numbers, -self.exercise.answer):
            return Reply(False, _("Nearly: look at the sign again."))
        if self.hint:
            return Reply(False, _("Not quite. {hint}", hint=self.hint))
        return Reply(False, _("Not quite. Read the question once more."))

    def _help(self, name: str) -> str:
        values = {**self.exercise.values, "answer": self.exercise.answer, **mistake_values(self.exercise)}
        return filled(self.text.helps[name], self.lesson, values)


def near(numbers: Sequence[float], wanted: float) -> bool:
    """Whether one of the numbers is as good as the one that is wanted."""
    return any(abs(number - wanted) <= NEAR for number in numbers)


def mistake_values(exercise: Exercise) -> dict[str, float]:
    """The wrong answers of an exercise by names that expressions can use: `forgot_bias`."""
    return {name.replace("-", "_"): value for name, value in exercise.mistakes.items()}


def questions(lesson: Lesson, seed: int = 0) -> Iterator[Question]:
    """The lesson's exercises in the order of its text; another seed gives other numbers."""
    for name, text in lesson_text(lesson.name).exercises.items():
        yield Question(lesson.exercise(name, seed), text, lesson)


FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x2212: "-", 0x8D1F: "-"}
"""Characters that Chinese keyboards type, as those that they stand for; and two signs, − and 负, for -."""
WRITTEN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
BLANKS = " \t\r\n"


def parse_numbers(answer: str) -> list[float]:
    """A number as people type it: `−3.5`, `-3,5`, `1/3`, full-width digits. `1,208` may be meant in two ways; words are none."""
    text = answer.translate(FULL_WIDTH).strip(BLANKS)
    found = [_fraction(text.replace(",", "."))]
    if GROUPED.fullmatch(text):
        found.append(float(text.replace(",", "")))
    return [number for number in found if number is not None and abs(number) < LARGEST]


def _fraction(text: str) -> float | None:
    """A number, or one divided by another."""
    parts = [part.strip(BLANKS) for part in text.split("/")]
    if len(parts) > 2 or not all(map(WRITTEN.fullmatch, parts)):
        return None
    above, *below = map(float, parts)
    if not below:
        return above
    return above / below[0] if below[0] else None
