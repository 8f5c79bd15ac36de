"""The exercises of this lesson."""

from __future__ import annotations

from collections.abc import Sequence

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.next_character.reciting import SIGNS
from llmtrace.rng import Chance

WORDS = ("planet", "garden", "silver", "orange", "window", "bridge", "guitar", "market", "carpet")


def letters(chance: Chance) -> Exercise:
    """A neuron that reads three letters."""
    word, w = chance.choice(WORDS)[:3], chance.sample((1, 2, 3, 4), 3)
    x = [SIGNS.index(sign) for sign in word]
    mistakes = {"from-zero": products([n - 1 for n in x], w), "no-weights": sum(x)}
    return Exercise({"word": word, "w": w, "x": x}, products(x, w), mistakes)


def window(chance: Chance) -> Exercise:
    """What is read next."""
    word = chance.choice(WORDS)
    values = {"seen": word[:-1], "new": word[-1], "second": word[1], "reads": len(word) - 1}
    first, second, newest = map(SIGNS.index, (word[0], word[1], word[-1]))
    return Exercise(values, second, {"kept": first, "newest": newest, "from-zero": second - 1})


def share(chance: Chance) -> Exercise:
    """The best that can be said where two letters follow."""
    whole = chance.choice((4, 5, 10))
    times = 1 + chance.below(whole - 1)
    other = whole - times
    mistakes = {"other": other / whole, "ratio": times / other, "certain": 1}
    return Exercise({"times": times, "whole": whole}, times / whole, mistakes)


def products(x: Sequence[int], w: Sequence[int]) -> int:
    """Each number times its weight, added up."""
    return sum(a * b for a, b in zip(x, w, strict=True))


EXERCISES = {
    "letters": letters,
    "window": window,
    "share": share,
}
