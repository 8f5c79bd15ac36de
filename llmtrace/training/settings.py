"""What a training is asked to do, and the learning rate of each of its steps."""

from __future__ import annotations

import math
import sys
from dataclasses import field, fields
from typing import Any, TypeGuard

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.errors import TrainingError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _, listed

LARGEST = (1 << 31) - 1


@frozen
class Setting:
    """One setting: its preset, what it does, and which values it can have. All that is said of it elsewhere is made of this."""

    preset: Any
    help: str
    """In English; `llmtrace.i18n` says it in other languages."""
    least: int = 0
    share: bool = False
    """Whether it must be less than 1."""
    options: tuple[str, ...] = ()

    def allows(self, value: object) -> bool:
        """Whether it can have that value, which may come from a file."""
        if self.options:
            return value in self.options
        if isinstance(self.preset, int):
            return type(value) is int and self.least <= value <= LARGEST
        return is_number(value) and not (self.share and value >= 1)

    def wanted(self) -> str:
        """Which values it can have, in words."""
        if self.options:
            return listed(self.options)
        if isinstance(self.preset, int):
            return _("a whole number from {least} to {most}", least=self.least, most=LARGEST)
        return _("a number from 0, less than 1") if self.share else _("a number from 0")


def setting(preset: Any, help: str, **more: Any) -> Any:
    """A field of a dataclass that is a setting; `more` as `Setting` has it."""
    return field(default=preset, metadata={"setting": Setting(preset, help, **more)})


def settings_of(kind: Any) -> dict[str, Setting]:
    """The settings among the fields of a dataclass."""
    return {f.name: f.metadata["setting"] for f in fields(kind) if f.metadata}


def expect_possible(given: Any) -> None:
    """TrainingError where a setting of this dataclass can't be what it is."""
    for name, its in settings_of(given).items():
        if not its.allows(getattr(given, name)):
            raise wrong(name, getattr(given, name), its.wanted())


@frozen
class Settings:
    """How weights are changed, step by step. Raises TrainingError where a value can't be."""

    steps: int = setting(1000, N_("Steps; one step reads one batch and changes every weight once."), least=1)
    rate: float = setting(1e-3, N_("The learning rate: how far a step goes."))
    schedule: str = setting(
        "cosine",
        N_("How the rate goes on after the warm-up: along half a cosine down to its last share, or constant."),
        options=("cosine", "constant"),
    )
    warmup: int = setting(100, N_("Steps in which the learning rate rises evenly from near 0."))
    last_rate: float = setting(0.1, N_("Share of the rate that is left in the last step of a cosine."))
    optimiser: str = setting(
        "adamw",
        N_("How a gradient becomes a step: adamw (decay apart from the gradient), adam (decay as part of it), or sgd."),
        options=("adamw", "adam", "sgd"),
    )
    momentum: float = setting(
        0.9, N_("Share of the last steps' direction that is kept: Adam's β₁, the momentum of sgd."), share=True
    )
    square_keep: float = setting(
        0.99, N_("Share of the old mean of squared gradients that is kept: Adam's β₂."), share=True
    )
    epsilon: float = setting(1e-8, N_("Keeps a division of Adam away from zero."))
    decay: float = setting(0.1, N_("Weight decay of matrices and tables, not of biases and gains."))
    l1: float = setting(0.0, N_("Pull towards 0 that does not depend on a weight's size."))
    l2: float = setting(0.0, N_("Pull towards 0 in proportion to a weight, as part of the gradient."))
    clip: float = setting(1.0, N_("Longest gradient, all weights taken together; longer ones are shortened. 0: any."))
    dropout: float = setting(0.0, N_("Share of numbers left out at random."), share=True)
    seed: int = setting(0, N_("The same seed gives the same weights, bit for bit."))

    def __post_init__(self) -> None:
        expect_possible(self)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0 (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts)."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.rate
        share = min(1.0, (step - self.warmup) / max(1, self.steps - 1 - self.warmup))
        bend = 0.5 * (
            1 + float(elementary.cos(np.float64(math.pi * share)))
        )  # the same on every machine, unlike libm's
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


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number from 0 that floats have: a setting may come from a file."""
    return type(value) is not bool and isinstance(value, int | float) and 0 <= value <= sys.float_info.max


def wrong(name: str, value: object, wanted: str) -> TrainingError:
    """The error that says which setting can't be what it is."""
    return TrainingError(
        _("{name} can't be {value}: give {wanted}", name=name.replace("_", "-"), value=value, wanted=wanted)
    )
