"""The exercises of the lesson next-character."""

from __future__ import annotations

from collections.abc import Sequence

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.next_character.characters import ALPHABET
from llmtrace.rng import Chance

WORDS = ("planet", "garden", "silver", "orange", "window", "bridge", "guitar", "market", "carpet")


def letters(chance: Chance) -> Exercise:
    """The weighted sum of a neuron that reads three characters."""
    word, w = chance.choice(WORDS)[:3], chance.sample((1, 2, 3, 4), 3)
    x = [ALPHABET.index(character) for character in word]
    mistakes = {"from-zero": products([n - 1 for n in x], w), "no-weights": sum(x)}
    return Exercise({"word": word, "w": w, "x": x}, products(x, w), mistakes)


def window(chance: Chance) -> Exercise:
    """The second character of the context after one more was written."""
    word = chance.choice(WORDS)
    values = {"seen": word[:-1], "new": word[-1], "second": word[1], "reads": len(word) - 1}
    first, second, newest = map(ALPHABET.index, (word[0], word[1], word[-1]))
    return Exercise(values, second, {"kept": first, "newest": newest, "from-zero": second - 1})


def share(chance: Chance) -> Exercise:
    """The lowest loss where two characters follow a context: the probability of one of them."""
    whole = chance.choice((4, 5, 10))
    times = 1 + chance.below(whole - 1)
    other = whole - times
    mistakes = {"other": other / whole, "ratio": times / other, "certain": 1}
    return Exercise({"times": times, "whole": whole}, times / whole, mistakes)


def products(x: Sequence[int], w: Sequence[int]) -> int:
    """The sum of the products of numbers and weights."""
    return sum(a * b for a, b in zip(x, w, strict=True))


EXERCISES = {
    "letters": letters,
    "window": window,
    "share": share,
}
