"""The exercises of the lesson dropout."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def left(chance: Chance) -> Exercise:
    """A weighted sum with some numbers left out, as in the pictures of the article."""
    x = [1 + chance.below(6) for _n in range(4)]
    w = [chance.choice([-2, -1, 1, 2, 3]) for _n in range(4)]
    mask = ((1, 0, 1, 0), (0, 1, 1, 0), (1, 0, 0, 1))[chance.below(3)]
    products = [a * b * m for a, b, m in zip(x, w, mask, strict=True)]
    whole = sum(a * b for a, b in zip(x, w, strict=True))
    mistakes = {
        "all": float(whole),
        "others": float(whole - sum(products)),
        "no-weights": float(sum(a * m for a, m in zip(x, mask, strict=True))),
    }
    kept = [n + 1 for n, m in enumerate(mask) if m]
    values = {"x": x, "w": w, "kept": kept, "a": [x[n - 1] for n in kept], "b": [w[n - 1] for n in kept]}
    return Exercise(values, float(sum(products)), mistakes)


def larger(chance: Chance) -> Exercise:
    """A number that is kept in training."""
    rate, number = chance.choice([0.2, 0.5, 0.75]), 4 * (1 + chance.below(6))
    mistakes = {"unchanged": float(number), "times": number * (1 - rate), "by-rate": number / rate}
    return Exercise({"p": rate, "q": 1 - rate, "x": number}, round(number / (1 - rate), 6), mistakes)


def masks(chance: Chance) -> Exercise:
    """How many masks there are for some numbers."""
    count = 3 + chance.below(5)
    mistakes = {"twice": 2.0 * count, "square": float(count**2), "one-more": float(2 ** (count + 1))}
    return Exercise({"n": count, "half": 2 ** (count - 1), "two": 2}, float(2**count), mistakes)


def mean(chance: Chance) -> Exercise:
    """The average over all masks."""
    x = [2 * (1 + chance.below(6)) for _n in range(2)]
    w = [1 + chance.below(4) for _n in range(2)]
    p = [a * b for a, b in zip(x, w, strict=True)]
    mistakes = {"whole": float(sum(p)), "first-only": p[0] / 2, "not-divided": 2.0 * sum(p)}
    return Exercise({"x": x, "w": w, "p": p, "sum": sum(p), "total": 2 * sum(p), "four": 4}, sum(p) / 2, mistakes)


EXERCISES = {"left": left, "larger": larger, "masks": masks, "mean": mean}
