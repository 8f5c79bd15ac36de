"""The exercises of the lesson embeddings."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def inputs(chance: Chance) -> Exercise:
    """How many numbers go in."""
    context, numbers, letters = 3 + chance.below(8), 2 + chance.below(7), 20 + chance.below(10)
    mistakes = {"added": context + numbers, "whole-table": letters * numbers, "letters-only": context}
    return Exercise({"c": context, "n": numbers, "v": letters}, context * numbers, mistakes)


def column(chance: Chance) -> Exercise:
    """A one-hot vector times a matrix of two rows and three columns."""
    row = [1 + chance.below(9) for _n in range(3)]
    below = [1 + chance.below(9) for _n in range(3)]
    place = chance.below(3)
    hot = [int(n == place) for n in range(3)]
    mistakes = {"added-all": sum(row), "other-row": below[place]}
    return Exercise({"r": row, "s": below, "hot": hot, "place": place}, row[place], mistakes)


def step(chance: Chance) -> Exercise:
    """One number of a vector after one step, read at two places."""
    old = (1 + chance.below(9)) / 10
    parts = [(1 + chance.below(5)) / 10, -(1 + chance.below(5)) / 10]
    rate = chance.choice([0.5, 2.0])
    new = round(old - rate * sum(parts), 6)
    mistakes = {
        "wrong-way": round(old + rate * sum(parts), 6),
        "one-place": round(old - rate * parts[0], 6),
        "forgot-rate": round(old - sum(parts), 6),
    }
    values = {"old": old, "p": parts, "rate": rate, "g": round(sum(parts), 6)}
    return Exercise(values, new, mistakes)


EXERCISES = {
    "inputs": inputs,
    "column": column,
    "step": step,
}
