"""The exercises of the lesson words."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def parameters(chance: Chance) -> Exercise:
    """How many parameters a small net has, with biases."""
    a, b, c = 2 + chance.below(4), 2 + chance.below(4), 1 + chance.below(3)
    right = a * b + b + b * c + c
    mistakes = {"no-biases": float(a * b + b * c), "neurons": float(a + b + c), "one-layer": float(a * b + b)}
    return Exercise({"a": a, "b": b, "c": c}, float(right), mistakes)


def line(chance: Chance) -> Exercise:
    """What a linear function makes of a sum."""
    first, second, times = 2 + chance.below(7), -1 - chance.below(6), 2 + chance.below(3)
    mistakes = {
        "not-times": float(first + second),
        "first-only": float(times * first),
        "all": float(times * (first - second)),
    }
    return Exercise({"a": first, "b": second, "n": times, "p": times * first}, float(times * first + second), mistakes)


def step(chance: Chance) -> Exercise:
    """A step with a learning rate."""
    weight, gradient, rate = chance.choice([0.5, 1.0, 2.0]), chance.choice([-4, -2, 2, 4]), chance.choice([0.01, 0.1])
    mistakes = {"uphill": weight + rate * gradient, "no-rate": weight - gradient, "only-move": -rate * gradient}
    return Exercise(
        {"w": weight, "g": gradient, "r": rate, "m": rate * gradient}, round(weight - rate * gradient, 6), mistakes
    )


def pull(chance: Chance) -> Exercise:
    """A step with regularisation: the gradient has the rate of regularisation times the weight added to it."""
    weight, gradient, pull = chance.choice([-4, -2, 2, 4]), chance.choice([1, 2, 3]), chance.choice([0.1, 0.5])
    whole = gradient + pull * weight
    mistakes = {"no-pull": float(gradient), "pull-only": pull * weight, "away": gradient - pull * weight}
    return Exercise({"w": weight, "g": gradient, "l": pull, "p": pull * weight}, round(whole, 6), mistakes)


EXERCISES = {"parameters": parameters, "line": line, "step": step, "pull": pull}
