"""The exercises of the lesson why-one-by-one."""

from __future__ import annotations

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def share(chance: Chance) -> Exercise:
    """The share of a token, counted in a text."""
    times, others = 10 * (6 + chance.below(4)), 10 * (1 + chance.below(5))
    whole = times + others
    mistakes = {"ratio": times / others, "others": others / whole, "not-divided": float(times)}
    return Exercise({"n": times, "m": others, "whole": whole}, times / whole, mistakes)


def product(chance: Chance) -> Exercise:
    """The probability of two tokens, one after the other."""
    first, second = (5 + chance.below(4)) / 10, (1 + chance.below(4)) / 10
    mistakes = {"added": round(first + second, 4), "average": round((first + second) / 2, 4), "last": second}
    return Exercise({"p": first, "q": second}, round(first * second, 4), mistakes)


def again(chance: Chance) -> Exercise:
    """How many tokens are read when every new one makes the model read all once more."""
    prompt, steps = 2 + chance.below(6), 3 + chance.below(2)
    rows = [prompt + n for n in range(steps)]
    mistakes = {
        "once": float(prompt + steps - 1),
        "no-growth": float(prompt * steps),
        "one-more": float(sum(rows) + prompt + steps),
    }
    return Exercise({"t": prompt, "n": steps, "last": rows[-1]}, float(sum(rows)), mistakes)


def cached(chance: Chance) -> Exercise:
    """How many rows a cache spares."""
    prompt, steps = 4 + chance.below(6), 3 + chance.below(3)
    without, within = sum(prompt + n for n in range(steps)), prompt + steps - 1
    mistakes = {"without": float(without), "with": float(within), "all-new": float(without - prompt * steps)}
    if mistakes["all-new"] == without - within:
        del mistakes["all-new"]
    values = {"t": prompt, "n": steps, "without": without, "within": within}
    return Exercise(values, float(without - within), mistakes)


EXERCISES = {"share": share, "product": product, "again": again, "cached": cached}
