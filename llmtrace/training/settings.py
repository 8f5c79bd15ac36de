"""What a training is asked to do, and the learning rate of each of its steps."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, fields

import numpy as np

from llmtrace.errors import TrainingError
from llmtrace.ops import reference
from llmtrace.words import _

OPTIMISERS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "constant")


@dataclass(frozen=True)
class Settings:
    """How weights are changed, step by step. Raises TrainingError where a value can't be."""

    steps: int = 1000
    """How many steps; one step reads one batch and changes every weight once."""
    rate: float = 1e-3
    """The learning rate: how far a step goes."""
    schedule: str = "cosine"
    """cosine: after the warm-up the rate falls along half a cosine to `last_rate`; constant: it stays."""
    warmup: int = 100
    """So many steps the rate rises evenly from near 0."""
    last_rate: float = 0.1
    """The share of `rate` that is left in the last step of a cosine."""
    optimiser: str = "adamw"
    """adamw (decay apart from the gradient), adam (decay as part of it), or sgd."""
    momentum: float = 0.9
    """sgd: the share of the last step's movement that is kept. adam: β₁, the share of the old mean gradient."""
    square_keep: float = 0.99
    """adam: β₂, the share of the old mean of the squared gradient."""
    epsilon: float = 1e-8
    """adam: keeps a division away from zero."""
    decay: float = 0.1
    """Weight decay; for matrices and tables, not for biases and gains."""
    l1: float = 0.0
    """A pull of every weight towards 0 that does not depend on its size."""
    l2: float = 0.0
    """A pull of every weight towards 0 in proportion to it, as part of the gradient."""
    clip: float = 1.0
    """Gradients longer than this, all weights taken together, are shortened to it; 0: never."""
    dropout: float = 0.0
    """The share of numbers left out at random while training."""
    seed: int = 0
    """The same seed gives the same weights, bit for bit."""

    def __post_init__(self) -> None:
        least = {"steps": 1, "seed": 0, "warmup": 0}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in least and not (type(value) is int and least[field.name] <= value < 1 << 31):
                raise wrong(field.name, value, _("a whole number from {least}").format(least=least[field.name]))
            if isinstance(field.default, float) and not is_number(value):
                raise wrong(field.name, value, _("a number from 0"))
        for name in ("momentum", "square_keep", "dropout"):
            if getattr(self, name) >= 1:
                raise wrong(name, getattr(self, name), _("a number from 0, less than 1"))
        for name, options in (("optimiser", OPTIMISERS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in options:
                raise wrong(name, getattr(self, name), ", ".join(options))

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0 (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts)."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.rate
        share = min(1.0, (step - self.warmup) / max(1, self.steps - 1 - self.warmup))
        bend = 0.5 * (1 + float(reference.cos(np.float64(math.pi * share))))  # the same on every machine, unlike libm's
        return self.rate * (self.last_rate + (1 - self.last_rate) * bend)


def power(base: float, exponent: int) -> float:
    """`base` multiplied by itself, by squaring: only multiplications, so the same bits on every machine."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result


def is_number(value: object) -> bool:
    """Whether it is a number from 0 that floats have: a setting may come from a file."""
    return type(value) is not bool and isinstance(value, int | float) and 0 <= value <= sys.float_info.max


def wrong(name: str, value: object, wanted: str) -> TrainingError:
    """The error that says which setting can't be what it is."""
    return TrainingError(
        _("{name} can't be {value}: give {wanted}").format(name=name.replace("_", "-"), value=value, wanted=wanted)
    )
