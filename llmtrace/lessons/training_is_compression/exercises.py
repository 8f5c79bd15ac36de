"""The exercises of the lesson training-is-compression."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def bits(chance: Chance) -> Exercise:
    """How many bits something costs that is one of many equally likely things."""
    count = 2 + chance.below(7)
    mistakes = {"ways": float(2**count), "half": 2.0 ** (count - 1), "one-more": count + 1.0}
    return Exercise({"n": 2**count, "two": 2}, float(count), mistakes)


def ratio(chance: Chance) -> Exercise:
    """How many times smaller a model is than its text."""
    gigabytes, times = 10 * (2 + chance.below(8)), 10 * (2 + chance.below(9))
    text = gigabytes * times / 1000
    mistakes = {"no-thousand": text / gigabytes, "turned": gigabytes / text, "apart": 1000 * text - gigabytes}
    return Exercise({"t": text, "g": gigabytes, "k": 1000, "all": 1000 * text}, float(times), mistakes)


def hours(chance: Chance) -> Exercise:
    """How many hours some cards have worked."""
    cards, days = 10 * (1 + chance.below(9)), 2 + chance.below(9)
    right = float(cards * days * 24)
    mistakes = {"days": float(cards * days), "one-card": days * 24.0, "one-day": cards * 24.0}
    return Exercise({"c": cards, "d": days, "h": 24, "p": cards * days}, right, mistakes)


def size(chance: Chance) -> Exercise:
    """How many bytes a net and the surprises take together."""
    numbers, sentences, each = 10 * (2 + chance.below(9)), 80 * (1 + chance.below(9)), 2 + chance.below(6)
    surprises = sentences * each / 8
    net = numbers * 4
    mistakes = {"in-bits": float(net + sentences * each), "net-only": float(net), "surprises-only": surprises}
    values = {
        "n": numbers,
        "s": sentences,
        "b": each,
        "net": net,
        "bits": sentences * each,
        "rest": surprises,
        "four": 4,
        "eight": 8,
    }
    return Exercise(values, net + surprises, mistakes)


EXERCISES = {"bits": bits, "ratio": ratio, "hours": hours, "size": size}
