"""The exercises of the lesson transformer."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def shares(chance: Chance) -> Exercise:
    """How many shares the heads of a cross-attention have."""
    source, target, heads = 3 + chance.below(6), 2 + chance.below(7), 2 ** (1 + chance.below(3))
    right = float(heads * source * target)
    mistakes = {
        "one-head": float(source * target),
        "among-source": float(heads * source * source),
        "among-target": float(heads * target * target),
    }
    return Exercise({"s": source, "t": target, "h": heads}, right, mistakes)


def gathered(chance: Chance) -> Exercise:
    """What a word that is written gathers from two words of the source."""
    share = chance.choice([0.25, 0.5, 0.75])
    first, second = 4 * (1 + chance.below(5)), 4 * (1 + chance.below(5))
    mistakes = {
        "swapped": (1 - share) * first + share * second,
        "largest": float(first if share > 0.5 else second),
        "sum": float(first + second),
    }
    values = {"p": share, "q": 1 - share, "a": first, "b": second, "x": share * first, "y": (1 - share) * second}
    return Exercise(values, share * first + (1 - share) * second, mistakes)


def joined(chance: Chance) -> Exercise:
    """How many tokens fit behind a joined text."""
    context, source, target = 16 + 4 * chance.below(5), 4 + chance.below(5), 4 + chance.below(5)
    one = source + 1 + target + 1
    mistakes = {
        "no-signs": float(context - source - target),
        "source-only": float(context - source - 1),
        "target-only": float(context - target - 1),
    }
    values = {"c": context, "s": source, "t": target, "one": one}
    return Exercise(values, float(context - one), mistakes)


def once(chance: Chance) -> Exercise:
    """How many keys of the source are computed, when they are kept."""
    source, target, blocks = 3 + chance.below(6), 4 + chance.below(6), 2 + chance.below(4)
    mistakes = {
        "each-word": float(source * target * blocks),
        "one-block": float(source),
        "target": float(target * blocks),
    }
    return Exercise({"s": source, "t": target, "n": blocks}, float(source * blocks), mistakes)


def moved(chance: Chance) -> Exercise:
    """At which place a word of a source stands in a joined text."""
    before, answer, place = 3 + chance.below(6), 3 + chance.below(6), chance.below(4)
    start = before + 1 + answer + 1
    mistakes = {
        "alone": float(place),
        "no-answer": float(before + place),
        "no-signs": float(before + answer + place),
    }
    values = {"s": before, "t": answer, "p": place, "start": start}
    return Exercise(values, float(start + place), mistakes)


EXERCISES = {"shares": shares, "gathered": gathered, "joined": joined, "once": once, "moved": moved}
