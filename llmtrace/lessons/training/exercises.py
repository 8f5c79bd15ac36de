"""The exercises of the lesson training."""

from __future__ import annotations

from collections.abc import Sequence

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.rng import Chance


def loss(chance: Chance) -> Exercise:
    """The absolute loss of two outputs."""
    wanted: Sequence[float] = (0.8, 0.2)
    off = [(1 + chance.below(4)) / 10, (1 + chance.below(4)) / 10]
    got = [round(wanted[0] - off[0], 1), round(wanted[1] + off[1], 1)]
    return Exercise(
        {"w": wanted, "g": got, "off": off},
        off[0] + off[1],
        {"signs": off[1] - off[0], "other-signs": off[0] - off[1], "first-only": off[0], "second-only": off[1]},
    )


def slope(chance: Chance) -> Exercise:
    """A difference quotient."""
    before, nudge = (3 + chance.below(6)) / 10, 0.01
    slope = chance.choice([-4, -3, -2, 2, 3, 4])
    change = round(slope * nudge, 2)
    values = {"before": before, "after": round(before + change, 2), "nudge": nudge, "change": change}
    return Exercise(values, slope, {"not-divided": change, "after": before + change, "times": change * nudge})


def step(chance: Chance) -> Exercise:
    """One step of gradient descent."""
    w, g, rate = (1 + chance.below(9)) / 10, chance.choice([-5, -3, -2, 2, 3, 5]), 0.1
    mistakes = {"uphill": w + rate * g, "no-rate": w - g, "only-step": -rate * g, "only-product": rate * g}
    return Exercise({"w": w, "g": g, "rate": rate, "move": rate * g}, w - rate * g, mistakes)


def epochs(chance: Chance) -> Exercise:
    """How many steps some epochs have."""
    size, batches, epochs = 4 + chance.below(6), 5 + chance.below(6), 3 + chance.below(5)
    values = {"examples": size * batches, "size": size, "batches": batches, "epochs": epochs}
    mistakes = {"one-epoch": batches, "no-batches": size * batches * epochs, "batches-only": size * epochs}
    return Exercise(values, batches * epochs, mistakes)


EXERCISES = {
    "loss": loss,
    "slope": slope,
    "step": step,
    "epochs": epochs,
}
