"""The exercises of the lesson perceptron."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def weighted_sum(chance: Chance) -> Exercise:
    """A sum of weights."""
    w = [2 + chance.below(8) for _n in range(3)]
    x = chance.choice([(1, 1, 0), (1, 0, 1), (0, 1, 1)])
    answer = sum(a * b for a, b in zip(w, x, strict=True))
    values = {"w": w, "x": x}
    return Exercise(values, answer, {"all-weights": sum(w), "answers-only": sum(x)})


def decision(chance: Chance) -> Exercise:
    """A sum that only just reaches the threshold, or passes it."""
    w = [2 + chance.below(8) for _n in range(3)]
    total = w[0] + w[1]
    limit = total - chance.below(2)
    mistakes = {"other": int(total <= limit), "only-sum": total, "all-weights": sum(w)}
    return Exercise({"w": w, "limit": limit, "total": total}, int(total > limit), mistakes)


def correction(chance: Chance) -> Exercise:
    """One step of learning."""
    w = [chance.below(5) for _n in range(3)]
    went = chance.below(2)
    change = 1 if went else -1
    mistakes = {"wrong-way": w[2] - change, "unchanged": w[2], "only-change": change}
    return Exercise({"w": w, "went": went}, w[2] + change, mistakes)


EXERCISES = {
    "sum": weighted_sum,
    "decision": decision,
    "correction": correction,
}
