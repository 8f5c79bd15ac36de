"""The exercises of the lesson tokenizers."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def pair(chance: Chance) -> Exercise:
    """The count of the pair that is merged first."""
    hat, cat, hut = 2 + chance.below(5), 2 + chance.below(5), 1 + chance.below(3)
    mistakes = {"one-word": max(hat, cat), "letter": hat + cat + hut}
    return Exercise({"hat": hat, "cat": cat, "hut": hut}, hat + cat, mistakes)


def bytes(chance: Chance) -> Exercise:
    """The bytes of some letters and some Chinese characters."""
    letters, signs = 2 + chance.below(7), 2 + chance.below(5)
    each = len("猫".encode())
    mistakes = {"characters": letters + signs, "all-long": each * (letters + signs)}
    return Exercise({"letters": letters, "signs": signs, "each": each}, letters + each * signs, mistakes)


def parting(chance: Chance) -> Exercise:
    """The probability of the most probable of three segmentations."""
    cat, s, ca, ts = (
        n / 10 for n in (4 + chance.below(3), 3 + chance.below(3), 1 + chance.below(2), 1 + chance.below(2))
    )
    best = round(cat * s, 6)
    whole = round(best - (2 + chance.below(5)) / 100, 6)
    mistakes = {"whole-word": whole, "added": round(cat + s, 6), "other": round(ca * ts, 6)}
    return Exercise({"cat": cat, "s": s, "ca": ca, "ts": ts, "whole": whole}, best, mistakes)


EXERCISES = {
    "pair": pair,
    "bytes": bytes,
    "parting": parting,
}
