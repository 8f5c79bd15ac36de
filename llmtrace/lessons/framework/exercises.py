"""Exercises as lessons make them: random numbers, the right answer, and the answers that typical mistakes lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any

from llmtrace.frozen import frozen
from llmtrace.rng import Chance

TRIES = 200
DISTINCT = 0.011
"""How far a wrong answer must be from the right one: answers are rounded to two decimals."""


@frozen
class Exercise:
    """A question with numbers in it. Its words are in the lesson's text, under the same name."""

    values: Mapping[str, Any]
    """What the question names."""
    answer: float
    mistakes: Mapping[str, float] = field(default_factory=dict)
    """The answers that typical mistakes lead to, by the name under which the text says what went wrong."""
    name: str = ""


Maker = Callable[[Chance], Exercise]
"""Draws one exercise."""


def draw(name: str, make: Maker, seed: int) -> Exercise:
    """An exercise of a kind, the same for the same seed: the first one drawn in which no mistake gives the right answer."""
    chance = Chance(seed)
    for _try in range(TRIES):
        made = make(chance)
        if all(abs(wrong - made.answer) > DISTINCT for wrong in made.mistakes.values()):
            return replace(made, name=name)
    raise AssertionError(f"{name}: every mistake leads to the right answer")
