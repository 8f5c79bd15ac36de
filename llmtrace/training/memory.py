"""Whether a training fits into memory, before it begins."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from llmtrace.errors import DoesNotFitError
from llmtrace.i18n import _
from llmtrace.models import as_language_model
from llmtrace.models.memory import available_memory
from llmtrace.weights.family import Family

COPIES = 8
"""Weights, their gradients, clipped ones, two memories of the optimiser; and the new weights and memories."""
PASSES = 2
"""A step holds its forward and, while it walks back, about as much again."""
IDS = 24
"""Bytes for each id of a batch: the row that is cut, what is read, and what should follow."""


def weights_of(family: Family, config: Any) -> int:
    """How many weights a model of these sizes has."""
    one, two = (sum(map(math.prod, family.shapes(replace(config, blocks=n)).values())) for n in (1, 2))
    return one + (config.blocks - 1) * (two - one)


def must_fit(family: Family, config: Any, texts: int, batch: int = 0) -> None:
    """DoesNotFitError where one step with so many texts at once, of a batch of so many, needs more memory than is free."""
    weights, free = weights_of(family, config), available_memory()
    needed = 4 * COPIES * weights + IDS * batch * (config.context + 1)
    if free is None or needed <= free:  # a model of billions of blocks is refused before they are counted
        needed += 4 * PASSES * texts * as_language_model(family.build(config, {})).trace_numbers(config.context)
    if free is not None and needed > free:
        raise DoesNotFitError(
            _(
                "training a model of {weights:,} weights takes about {needed:.1f} GB, and {free:.1f} GB are free: make it"
                " smaller, or its context",
                weights=weights,
                needed=needed / 1e9,
                free=free / 1e9,
            )
        )
