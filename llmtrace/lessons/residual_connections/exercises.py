"""The exercises of the lesson residual-connections."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def out(chance: Chance) -> Exercise:
    """A number after a box with a way round it: ReLU of a weighted sum, plus what went in."""
    x = [2 + chance.below(7), 1 + chance.below(6)]
    w = [1 + chance.below(3), chance.choice([-9, -2, -1, 1, 2])]
    total = w[0] * x[0] + w[1] * x[1]
    given = max(0, total)
    no_relu = float(total + x[0] if total < 0 else x[0])
    mistakes = {"no-way": float(given), "times": float(given * x[0]), "no-relu": no_relu, "other": float(given + x[1])}
    return Exercise({"x": x, "w": w, "sum": total, "given": given}, float(given + x[0]), mistakes)


def stream(chance: Chance) -> Exercise:
    """What is in the stream after all parts have added."""
    parts = [chance.choice([-3, -2, -1, 1, 2, 4, 5]) for _n in range(5)]
    mistakes = {"last-only": float(parts[-1]), "no-first": float(sum(parts[1:])), "last-two": float(sum(parts[-2:]))}
    return Exercise({"p": parts}, float(sum(parts)), mistakes)


def slope(chance: Chance) -> Exercise:
    """The gradient before a number of layers, with a way round each or without."""
    layers = 3 + chance.below(3)
    own = chance.choice([0.1, 0.2])
    whole = (1 + own) ** layers
    mistakes = {"no-way": own**layers, "added": 1 + own * layers, "one-layer": 1 + own}
    return Exercise({"n": layers, "s": own, "f": 1 + own}, round(whole, 6), mistakes)


EXERCISES = {"out": out, "stream": stream, "slope": slope}
