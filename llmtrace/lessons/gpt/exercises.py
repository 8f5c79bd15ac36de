"""The exercises of the lesson gpt."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def mlp(chance: Chance) -> Exercise:
    """The weights of the two matrices of an MLP."""
    width = 4 * (1 + chance.below(6))
    right = 2.0 * width * 4 * width
    mistakes = {"one-matrix": right / 2, "no-four": 2.0 * width * width, "neurons": 4.0 * width}
    return Exercise({"c": width, "h": 4 * width, "one": width * 4 * width, "two": 2}, right, mistakes)


def table(chance: Chance) -> Exercise:
    """The numbers of both tables."""
    words, places, width = 50 + 10 * chance.below(10), 8 * (1 + chance.below(4)), 4 * (1 + chance.below(4))
    mistakes = {
        "words-only": float(words * width),
        "times": float(words * places * width),
        "added": float(words + places + width),
    }
    return Exercise(
        {"v": words, "t": places, "c": width, "rows": words + places}, float((words + places) * width), mistakes
    )


def size(chance: Chance) -> Exercise:
    """How many gigabytes some parameters take."""
    billions, each = chance.choice([3, 7, 13, 30, 70]), chance.choice([2, 4])
    mistakes = {"bits": billions * each * 8.0, "one-byte": float(billions), "divided": billions / each}
    return Exercise({"n": billions, "b": each}, float(billions * each), mistakes)


def share(chance: Chance) -> Exercise:
    """How many parameters all blocks have."""
    blocks, attention, mlp = 2 + chance.below(6), 10 * (3 + chance.below(4)), 10 * (7 + chance.below(6))
    right = float(blocks * (attention + mlp))
    mistakes = {
        "one-block": float(attention + mlp),
        "mlp-only": float(blocks * mlp),
        "attention-only": float(blocks * attention),
    }
    return Exercise({"n": blocks, "a": attention, "m": mlp, "block": attention + mlp}, right, mistakes)


EXERCISES = {"mlp": mlp, "table": table, "size": size, "share": share}
