"""The exercises of the lesson llama."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def rms(chance: Chance) -> Exercise:
    """The root of the mean of two squares."""
    a, b = chance.choice([(1, 7), (2, 14), (7, 17), (7, 23), (14, 34)])
    mean = (a * a + b * b) / 2
    mistakes = {"mean": (a + b) / 2, "no-root": mean, "no-mean": round((2 * mean) ** 0.5, 2)}
    return Exercise({"a": a, "b": b, "squares": int(mean), "two": 2}, mean**0.5, mistakes)


def turn(chance: Chance) -> Exercise:
    """The first number of a pair after a turn."""
    a, b, (cos, sin) = 1 + chance.below(5), 1 + chance.below(5), chance.choice([(0.6, 0.8), (0.8, 0.6), (0.0, 1.0)])
    mistakes = {"second": b * cos + a * sin, "added": a * cos + b * sin, "cosine-only": a * cos}
    return Exercise({"a": a, "b": b, "cos": cos, "sin": sin}, round(a * cos - b * sin, 6), mistakes)


def cache(chance: Chance) -> Exercise:
    """The numbers that a cache keeps of a token."""
    blocks, shared, each = 2 + chance.below(5), chance.choice([2, 4, 8]), chance.choice([16, 32, 64])
    heads, right = 4 * shared, 2.0 * blocks * shared * each
    mistakes = {"keys-only": right / 2, "all-heads": 4 * right, "one-block": right / blocks}
    return Exercise({"n": blocks, "h": heads, "g": shared, "d": each, "two": 2}, right, mistakes)


def gate(chance: Chance) -> Exercise:
    """What a neuron says through its gate."""
    act, up = chance.choice([0.5, 2.0, 3.0, -0.25]), chance.choice([-4, -2, 2, 6])
    mistakes = {"added": act + up, "no-gate": float(up), "no-neuron": act}
    return Exercise({"a": act, "u": up}, act * up, mistakes)


EXERCISES = {"rms": rms, "turn": turn, "cache": cache, "gate": gate}
