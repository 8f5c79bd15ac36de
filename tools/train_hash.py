"""The hash of everything that a few steps of training make, for every way of doing them: a part of tools/run_hash.py."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import llmtrace
from llmtrace.arithmetic.types import Array
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops import Tensor
from llmtrace.trace import Run, Trace
from llmtrace.training import Part, Settings, Trainer
from llmtrace.weights.gpt import GPT2

STEPS = 3
TEXTS = 8
THREADS = (1, 2, 3)
PARTS = (8, 3, 1)
"""So many texts at once; only a whole batch can be recorded."""


class Case(NamedTuple):
    """A model, how long the texts are, and how it is trained."""

    config: GPTConfig
    tokens: int
    settings: Settings


COMMON: dict[str, Any] = {"steps": 4, "warmup": 2, "rate": 0.01, "seed": 3}
CASES = {
    "adamw with dropout": Case(
        GPTConfig(vocabulary=31, context=24, width=40, heads=5, blocks=2, hidden=150),
        23,
        Settings(**COMMON, optimiser="adamw", dropout=0.2, clip=0.5),
    ),
    "sgd": Case(
        GPTConfig(vocabulary=67, context=40, width=64, heads=2, blocks=1, hidden=256),
        40,
        Settings(**COMMON, optimiser="sgd", l1=1e-4, l2=1e-3, clip=0.0),
    ),
}


class Way(NamedTuple):
    """How to do the same steps."""

    threads: int
    part: int
    traced: bool

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.part} at once, {'traced' if self.traced else 'untraced'}"


def ways(small: bool = False) -> Iterator[Way]:
    """All of them; or few, with each setting in at least one. The first is what the others are compared with."""
    for place, (threads, part) in enumerate(itertools.product(THREADS, PARTS)):
        for traced in (True, False) if part == TEXTS else (False,):
            if not small or place % 4 == 0:  # the diagonal
                yield Way(threads, part, traced)


def train(case: Case, texts: Array, way: Way) -> dict[str, Array]:
    """The weights, what the optimiser remembers, and each step's loss and gradient's length; traced, all of the last step."""
    llmtrace.set_threads(way.threads)
    trainer = Trainer(GPT2.initial(case.config, case.settings.seed), case.settings)
    found: dict[str, Array] = {}
    sizes = [min(way.part, TEXTS - first) for first in range(0, TEXTS, way.part)]
    for step in range(STEPS):
        parts = [part(case, trainer, texts[step, i * way.part :][:size]) for i, size in enumerate(sizes)]
        trace = Trace(trainer.state.weights) if way.traced else None
        report = trainer.step(parts, sizes, trace)
        found[f"report.{step}"] = np.array([report.loss, report.norm, report.rate])
    state = trainer.state
    found |= {weight.name: weight.data for weight in state.weights.values()} | dict(state.memory)
    if trace is not None:
        found |= {f"last.{name}": np.array(trace.tensor(name)) for name in trace}
    return found


def part(case: Case, trainer: Trainer, texts: Array) -> Part:
    """Some texts of a batch."""

    def forward(run: Run, summed: Tensor | None) -> tuple[Tensor, Tensor]:
        ids, targets = texts[:, :-1].copy(), texts[:, 1:].copy()
        return GPT(case.config, trainer.state.weights).loss(run, ids, targets, TEXTS * case.tokens, summed)

    return forward


def hash_case(
    case: Case,
    integers: Callable[[int, int], Array],
    digests: Callable[[dict[str, Array]], dict[str, str]],
    small: bool = False,
) -> tuple[dict[str, str], dict[str, list[str]], int]:
    """Every tensor's hash, what came out differently in which way, and the number of ways. A way that records nothing is
    compared in what it has.
    """
    shape = (STEPS, TEXTS, case.tokens + 1)
    texts = (integers(77, int(np.prod(shape))).reshape(shape) % np.uint64(case.config.vocabulary)).astype(np.int64)
    expected: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    count = 0
    for way in ways(small):
        found = digests(train(case, texts, way))
        expected = expected or found
        known = [name for name in expected if way.traced or not name.startswith("last.")]
        if names := [name for name in {**dict.fromkeys(known), **found} if expected.get(name) != found.get(name)]:
            wrong[str(way)] = names
        count += 1
    return expected, wrong, count
