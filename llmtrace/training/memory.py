"""Whether a training fits into memory, before it begins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.errors import DoesNotFitError
from llmtrace.i18n import _
from llmtrace.models import LanguageModel, as_language_model
from llmtrace.models.memory import available_memory
from llmtrace.ops import by_name
from llmtrace.text import as_size
from llmtrace.trace import Keep
from llmtrace.weights.family import Family

COPIES = 8
"""Weights, their gradients, clipped ones, two memories of the optimiser; and the new weights and memories."""
PASSES = 2
"""A step holds its forward and, while it walks back, about as much again."""
IDS = 24
"""Bytes for each id of a batch: the row that is cut, what is read, and what should follow."""
RECORDED: Mapping[Keep, tuple[float, float, int]] = {"all": (2.5, 0, 9), "residual": (1, 1, 8)}
"""What a traced step holds at most: so many times the numbers of a traced forward, those of one that keeps only the residual
stream, and the weights. Measured for GPT and Llama of many sizes: from a tenth too little to a sixth too much.
"""


def weights_of(family: Family, config: Any) -> int:
    """How many weights a model of these sizes has."""
    one, two = (sum(map(math.prod, family.shapes(replace(config, blocks=n)).values())) for n in (1, 2))
    return one + (config.blocks - 1) * (two - one)


def traced_step_bytes(model: LanguageModel, ids: Array, keep: Keep) -> float:
    """About how many bytes a recorded step on these ids takes."""
    texts, tokens = ids.shape
    forward, residual, copies = RECORDED[keep]
    weights = sum(weight.data.nbytes for weight in by_name(model.weights.values()).values())
    both = (
        forward * model.trace_bytes(tokens, 0, "all", texts),
        residual * model.trace_bytes(tokens, 0, "residual", texts),
    )
    return sum(both) + copies * weights


def traced_step_must_fit(model: LanguageModel, ids: Array, keep: Keep) -> None:
    """DoesNotFitError where a recorded step on these ids needs more memory than is free."""
    needed, free = traced_step_bytes(model, ids, keep), available_memory()
    if free is None or needed <= free:
        return
    text = _(
        "recording a step on {texts} texts of {tokens} tokens takes about {needed}, and {free} are free; a training"
        " with a smaller --batch has smaller steps",
        texts=ids.shape[0],
        tokens=ids.shape[1],
        needed=as_size(needed),
        free=as_size(free),
    )
    if keep == "all" and traced_step_bytes(model, ids, "residual") <= free:
        text += _("; with keep=“residual” (--keep residual) this one fits, too")
    raise DoesNotFitError(text)


def must_fit(family: Family, config: Any, texts: int, batch: int = 0) -> None:
    """DoesNotFitError where one step with so many texts at once, of a batch of so many, needs more memory than is free."""
    weights, free = weights_of(family, config), available_memory()
    needed = 4 * COPIES * weights + IDS * batch * (config.context + 1)
    if free is None or needed <= free:  # a model of billions of blocks is refused before they are counted
        needed += 4 * PASSES * texts * as_language_model(family.build(config, {})).trace_numbers(config.context)
    if free is not None and needed > free:
        raise DoesNotFitError(
            _(
                "training a model of {weights:,} weights takes about {needed}, and {free} are free: make it"
                " smaller, or its context",
                weights=weights,
                needed=as_size(needed),
                free=as_size(free),
            )
        )
