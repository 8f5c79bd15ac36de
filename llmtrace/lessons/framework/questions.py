"""Exercises in words: the question, and the reply to an answer, which is right or made by a typical mistake."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.framework.text import ExerciseText, filled, formatted, lesson_text

NEAR = 0.0051
"""The largest error of a right answer: two decimals are enough."""
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
        number = parse_number(answer)
        if number is None:
            return Reply(False, _("Answer with a number, such as {example}.", example="−3.5"), is_answer=False)
        if abs(number - self.exercise.answer) <= NEAR:
            return Reply(True, _("Right: {solution}", solution=self.solution))
        for wrong, said in self.mistakes:
            if abs(number - wrong) <= NEAR:
                return Reply(False, said)
        if abs(number + self.exercise.answer) <= NEAR:
            return Reply(False, _("Nearly: look at the sign again."))
        if self.hint:
            return Reply(False, _("Not quite. {hint}", hint=self.hint))
        return Reply(False, _("Not quite. Read the question once more."))

    def _help(self, name: str) -> str:
        values = {**self.exercise.values, "answer": self.exercise.answer, **mistake_values(self.exercise)}
        return filled(self.text.helps[name], self.lesson, values)


def mistake_values(exercise: Exercise) -> dict[str, float]:
    """The wrong answers of an exercise by names that expressions can use: `forgot_bias`."""
    return {name.replace("-", "_"): value for name, value in exercise.mistakes.items()}


def questions(lesson: Lesson, seed: int = 0) -> Iterator[Question]:
    """The lesson's exercises in the order of its text; another seed gives other numbers."""
    for name, text in lesson_text(lesson.name).exercises.items():
        yield Question(lesson.exercise(name, seed), text, lesson)


def parse_number(answer: str) -> float | None:
    """A number as people type it: `−3.5`, `-3,5`, full-width digits."""
    text = unicodedata.normalize("NFKC", answer).strip().replace("−", "-").replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None
