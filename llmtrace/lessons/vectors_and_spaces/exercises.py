"""The exercises of the lesson vectors-and-spaces."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.vectors_and_spaces.steps import softmax_trace
from llmtrace.rng import Chance


def dot(chance: Chance) -> Exercise:
    """A dot product."""
    a, b = ([chance.below(9) - 4 for _n in range(2)] for _v in range(2))
    answer = a[0] * b[0] + a[1] * b[1]
    mistakes = {"added": sum(a) + sum(b), "crossed": a[0] * b[1] + a[1] * b[0]}
    return Exercise({"a": a, "b": b}, answer, mistakes)


def length(chance: Chance) -> Exercise:
    """The length of a vector whose length is a whole number."""
    a, b, c = chance.choice([(3, 4, 5), (6, 8, 10), (5, 12, 13), (8, 6, 10), (12, 5, 13), (9, 12, 15)])
    return Exercise({"a": a, "b": b}, c, {"added": a + b, "forgot-root": c * c})


def softmax(chance: Chance) -> Exercise:
    """Probabilities that stay the same when all scores grow by the same amount."""
    more = 2 + chance.below(50)
    share = round(float(softmax_trace((1, 2, 3))["softmax.shares"].output[1]), 2)
    return Exercise({"more": more, "share": share}, share, {"grown": share * more, "added": share + more, "whole": 1})


EXERCISES = {
    "dot": dot,
    "length": length,
    "softmax": softmax,
}
