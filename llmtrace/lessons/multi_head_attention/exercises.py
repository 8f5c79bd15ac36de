"""The exercises of the lesson multi-head-attention."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def size(chance: Chance) -> Exercise:
    """How many numbers one head has."""
    heads, each = chance.choice([2, 4, 8, 12]), chance.choice([16, 32, 64])
    mistakes = {"whole": float(heads * each), "times": float(heads * heads * each), "heads": float(heads)}
    return Exercise({"c": heads * each, "h": heads}, float(each), mistakes)


def place(chance: Chance) -> Exercise:
    """Where a head's number stands after all have been laid side by side."""
    each, head, feature = chance.choice([4, 8, 16]), 1 + chance.below(3), 1 + chance.below(3)
    mistakes = {
        "from-one": float((head - 1) * each + feature),
        "added": float(head + feature),
        "feature-only": float(feature),
    }
    return Exercise({"d": each, "h": head, "f": feature, "p": head * each}, float(head * each + feature), mistakes)


def one(chance: Chance) -> Exercise:
    """Two matrices of one row and one column each, through two ways, as one number."""
    a, b = [1 + chance.below(4), 1 + chance.below(4)], [1 + chance.below(4), chance.choice([-2, -1, 2, 3])]
    right = a[0] * b[0] + a[1] * b[1]
    mistakes = {"added": float(sum(a) + sum(b)), "first-way": float(a[0] * b[0]), "all": float(sum(a) * sum(b))}
    return Exercise({"a": a, "b": b, "p": [x * y for x, y in zip(a, b, strict=True)]}, float(right), mistakes)


def parameters(chance: Chance) -> Exercise:
    """How many weights the matrices of all heads have, with the output matrix."""
    heads, each = chance.choice([2, 4]), chance.choice([4, 8, 16])
    width = heads * each
    mistakes = {
        "no-output": 3.0 * width * width,
        "one-head": 4.0 * width * each,
        "by-heads": 4.0 * width * width * heads,
    }
    values = {"c": width, "h": heads, "d": each, "square": width * width, "four": 4}
    return Exercise(values, 4.0 * width * width, mistakes)


EXERCISES = {"size": size, "place": place, "one": one, "parameters": parameters}
