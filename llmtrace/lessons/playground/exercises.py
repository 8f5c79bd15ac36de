"""The exercises of the lesson playground."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.playground.data import COUNT
from llmtrace.rng import Chance


def update(chance: Chance) -> Exercise:
    """A weight after one training step."""
    weight, gradient, rate = (1 + chance.below(9)) / 10, chance.choice([-4, -3, -2, 2, 3, 4]) / 10, 0.5
    mistakes = {"uphill": weight + rate * gradient, "no-rate": weight - gradient, "only-step": rate * gradient}
    return Exercise(
        {"w": weight, "g": gradient, "rate": rate, "move": rate * gradient}, weight - rate * gradient, mistakes
    )


def steps(chance: Chance) -> Exercise:
    """How many steps an epoch has."""
    share, batch = 10 * (2 + chance.below(7)), chance.choice([5, 10, 25])
    learned = COUNT * share // 100
    values = {"count": COUNT, "share": share, "batch": batch, "learned": learned}
    return Exercise(values, -(-learned // batch), {"all": COUNT // batch, "points": learned})


def circle(chance: Chance) -> Exercise:
    """The weighted sum of a neuron on squared features."""
    x1, x2 = chance.choice([1, 2, 3]), chance.choice([-3, -2, -1])
    weight, bias = -(1 + chance.below(4)) / 2, 2 + chance.below(5)
    squares = x1 * x1 + x2 * x2
    mistakes = {"minus": weight * (x1 * x1 - x2 * x2) + bias, "no-bias": weight * squares}
    mistakes["no-squares"] = weight * (x1 + x2) + bias
    values = {"x": (x1, x2), "w": weight, "b": bias, "squares": (x1 * x1, x2 * x2)}
    return Exercise(values, weight * squares + bias, mistakes)


def pull(chance: Chance) -> Exercise:
    """A weight after one step of L2 regularisation alone."""
    weight, rate, pull = 2 + 2 * chance.below(4), 0.5, (1 + chance.below(4)) / 10
    step = rate * pull * weight
    values = {"w": weight, "rate": rate, "pull": pull, "step": step}
    return Exercise(
        values, weight - step, {"no-rate": weight - pull * weight, "away": weight + step, "only-step": step}
    )


EXERCISES = {
    "update": update,
    "steps": steps,
    "circle": circle,
    "pull": pull,
}
