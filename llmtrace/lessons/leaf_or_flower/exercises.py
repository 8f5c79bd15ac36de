"""The exercises of the lesson leaf-or-flower."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def neuron(chance: Chance) -> Exercise:
    """A neuron with two inputs and a bias."""
    x = [2 + chance.below(8), 2 + chance.below(8)]
    w = [(1 + chance.below(9)) / 10, -(1 + chance.below(9)) / 10]
    bias = chance.choice([0.5, 1.5, -0.5, 2.5])
    total = x[0] * w[0] + x[1] * w[1]
    mistakes = {
        "forgot-bias": total,
        "lost-minus": x[0] * w[0] - x[1] * w[1] + bias,
        "times-bias": total * bias,
    }
    return Exercise({"x": x, "w": w, "b": bias, "total": total}, total + bias, mistakes)


def activation(chance: Chance) -> Exercise:
    """An output of two neurons with ReLU."""
    sums = [-(1 + chance.below(9)), 1 + chance.below(9)]
    w = [(1 + chance.below(9)) / 10, (1 + chance.below(9)) / 10]
    without = sums[0] * w[0] + sums[1] * w[1]
    mistakes = {
        "forgot-activation": without,
        "dropped-sign": -sums[0] * w[0] + sums[1] * w[1],
        "not-weighted": sums[1],
    }
    return Exercise({"s": sums, "w": w}, sums[1] * w[1], mistakes)


def collapse(chance: Chance) -> Exercise:
    """One weight of two layers multiplied into one."""
    first = [1 + chance.below(5), -(1 + chance.below(5))]
    second = [2 + chance.below(4), 2 + chance.below(4)]
    answer = first[0] * second[0] + first[1] * second[1]
    mistakes = {
        "added": sum(first) + sum(second),
        "one-way": first[0] * second[0],
        "other-way": first[1] * second[1],
        "lost-minus": first[0] * second[0] - first[1] * second[1],
    }
    return Exercise({"a": first, "o": second}, answer, mistakes)


EXERCISES = {
    "neuron": neuron,
    "activation": activation,
    "collapse": collapse,
}
