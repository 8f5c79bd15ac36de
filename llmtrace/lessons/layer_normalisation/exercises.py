"""The exercises of the lesson layer-normalisation."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def between(chance: Chance) -> Exercise:
    """A mark brought between 0 and 1."""
    low, size = 10 + chance.below(40), chance.choice([10, 20, 40, 50])
    mark = low + size * (1 + chance.below(4)) // 5
    mistakes = {
        "by-largest": round(mark / (low + size), 6),
        "not-divided": float(mark - low),
        "from-top": (low + size - mark) / size,
    }
    return Exercise({"low": low, "high": low + size, "mark": mark, "size": size}, (mark - low) / size, mistakes)


def normal(chance: Chance) -> Exercise:
    """A number of a row of four, of which two are as far above the mean as two are below."""
    mean, far = 5 + chance.below(20), 1 + chance.below(5)
    row = [mean + far * sign for sign in ((1, -1, 1, -1), (-1, 1, 1, -1), (1, 1, -1, -1))[chance.below(3)]]
    right = float((row[0] - mean) // far)
    mistakes = {"not-divided": float(row[0] - mean), "no-mean": row[0] / far, "by-square": (row[0] - mean) / far**2}
    values = {"x": row, "mean": mean, "far": far, "own": row[0] - mean, "square": far * far}
    return Exercise(values, right, mistakes)


def scaled(chance: Chance) -> Exercise:
    """A standardised number, scaled and shifted."""
    number, gain, shift = chance.choice([-2, -1, 1, 2, 3]), 2 + chance.below(4), chance.choice([-3, -1, 1, 2, 4])
    mistakes = {
        "shift-first": float((number + shift) * gain),
        "no-shift": float(number * gain),
        "no-gain": float(number + shift),
    }
    return Exercise({"n": number, "g": gain, "b": shift, "p": number * gain}, float(number * gain + shift), mistakes)


EXERCISES = {"between": between, "normal": normal, "scaled": scaled}
