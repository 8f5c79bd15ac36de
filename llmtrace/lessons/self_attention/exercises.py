"""The exercises of the lesson self-attention."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def mixture(chance: Chance) -> Exercise:
    """The first number of a mixture of three words."""
    shares = [0.5, 0.25, 0.25]
    first = [4 * (1 + chance.below(5)) for _n in range(3)]
    right = sum(u * x for u, x in zip(shares, first, strict=True))
    mistakes = {"no-shares": float(sum(first)), "average": round(sum(first) / 3, 6), "first-only": shares[0] * first[0]}
    return Exercise(
        {"u": shares, "x": first, "p": [u * x for u, x in zip(shares, first, strict=True)]}, right, mistakes
    )


def score(chance: Chance) -> Exercise:
    """The score of a query and a key of four numbers."""
    q = [chance.choice([-2, -1, 1, 2, 3]) for _n in range(4)]
    k = [chance.choice([-2, -1, 1, 2, 3]) for _n in range(4)]
    products = [a * b for a, b in zip(q, k, strict=True)]
    total = sum(products)
    mistakes = {
        "not-divided": float(total),
        "by-length": total / 4,
        "times": total * 2.0,
        "added": float(sum(q) + sum(k)),
    }
    return Exercise({"q": q, "k": k, "p": products, "sum": total, "size": 4, "root": 2}, total / 2, mistakes)


def share(chance: Chance) -> Exercise:
    """The share of one word, given the exponentials of the scores."""
    powers = [1 + chance.below(9) for _n in range(3)]
    total = sum(powers)
    mistakes = {"not-divided": float(powers[0]), "ratio": powers[0] / (powers[1] + powers[2]), "equal": round(1 / 3, 6)}
    return Exercise({"e": powers, "sum": total}, round(powers[0] / total, 6), mistakes)


def seen(chance: Chance) -> Exercise:
    """How many shares are not 0 where no word looks at a later one."""
    words = 3 + chance.below(6)
    mistakes = {"all": float(words * words), "without-own": words * (words - 1) / 2, "last-only": float(words)}
    return Exercise({"n": words}, words * (words + 1) / 2, mistakes)


EXERCISES = {"mixture": mixture, "score": score, "share": share, "seen": seen}
