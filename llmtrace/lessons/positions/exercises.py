"""The exercises of the lesson positions."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def divided(chance: Chance) -> Exercise:
    """The code of a place divided by the number of words, in two sentences."""
    first, second = chance.choice([(2, 4), (2, 5), (4, 5), (4, 8), (5, 10)])
    place = 1 + chance.below(first)
    right = round(place / first - place / second, 6)
    mistakes = {
        "first-only": round(place / first, 6),
        "second-only": round(place / second, 6),
        "lengths": float(second - first),
    }
    values = {"a": first, "b": second, "p": place, "x": round(place / first, 6), "y": round(place / second, 6)}
    return Exercise(values, right, mistakes)


def added(chance: Chance) -> Exercise:
    """A word's vector and its place's, added: the second number."""
    word, place = [[chance.below(9) - 4 for _n in range(3)] for _k in range(2)]
    mistakes = {
        "times": float(word[1] * place[1]),
        "first": float(word[0] + place[0]),
        "all": float(sum(word) + sum(place)),
    }
    return Exercise({"w": word, "p": place}, float(word[1] + place[1]), mistakes)


def pair(chance: Chance) -> Exercise:
    """How many wavelengths a code has."""
    width = 2 * (4 + chance.below(60))
    mistakes = {"each": float(width), "twice": 2.0 * width, "one-less": width / 2 - 1}
    return Exercise({"d": width, "two": 2}, width / 2, mistakes)


def apart(chance: Chance) -> Exercise:
    """By how far a query and a key are turned against each other."""
    angle, query = chance.choice([5, 10, 15, 20]), 6 + chance.below(6)
    key = 1 + chance.below(5)
    mistakes = {
        "query-only": float(query * angle),
        "key-only": float(key * angle),
        "added": float((query + key) * angle),
    }
    return Exercise({"a": angle, "q": query, "k": key, "far": query - key}, float((query - key) * angle), mistakes)


EXERCISES = {"divided": divided, "added": added, "pair": pair, "apart": apart}
