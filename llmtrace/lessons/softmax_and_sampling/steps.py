"""Traces of the lesson softmax-and-sampling: small nets' outputs, and how one of a few letters is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.softmax_and_sampling.words import LEGEND
from llmtrace.models.generation import Sampling
from llmtrace.ops.elementwise.exp import exp
from llmtrace.ops.elementwise.sigmoid import sigmoid
from llmtrace.ops.losses.absolute_error import absolute_error
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Run, Trace

DRAWS = 1000


def apart(got: Sequence[float], wanted: Sequence[float], names: Sequence[str]) -> Trace:
    """The absolute errors of some outputs, and their sum."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"output": names}
    with Run({}, trace) as run:
        given, right = (
            run.leaf(name, np.array(numbers, np.float32), ("output",))
            for name, numbers in (("got", got), ("wanted", wanted))
        )
        run.do("apart.total", sum_all, (run.do("apart", absolute_error, (given, right), {}), None), {}, ())
    return trace


def squashed(scores: Sequence[float]) -> Trace:
    """The logistic curve at some scores, and for each the shares of it and 0."""
    numbers = np.array(scores, np.float32)
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        run("squashed", sigmoid, run.leaf("scores", numbers, ("output",)))
        pairs = np.stack([numbers, np.zeros_like(numbers)], axis=1)
        run("pair.shares", softmax, run.leaf("pairs", pairs, ("output", "choice")))
    return trace


def shares(scores: Array, names: Sequence[str]) -> Trace:
    """The powers of some scores, their sum, and the shares."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"output": names}
    with Run({}, trace) as run:
        given = run.leaf("scores", scores, ("output",))
        run.do("powers.total", sum_all, (run("powers", exp, given), None), {}, ())
        run("ten.shares", softmax, given)
    return trace


def drawn(scores: Array, names: Sequence[str], sampling: Sampling, number: int = 0) -> Trace:
    """How one of some letters is drawn."""
    trace = Trace({}, token_text=list(names).__getitem__, legend=LEGEND)
    with Run({}, trace) as run:
        sampling.choose(run, number, run.leaf(f"choice.{number}.logits", scores, ("vocabulary",)))
    return trace


def chances(scores: Array, names: Sequence[str], sampling: Sampling) -> Array:
    """The probabilities from which one is drawn."""
    return drawn(scores, names, sampling).tensor("choice.0.probabilities")


def counted(scores: Array, names: Sequence[str], seed: int) -> list[tuple[Any, ...]]:
    """How often each letter comes in a thousand draws, beside its probability."""
    sampling = Sampling(seed=seed)
    times: Counter[int] = Counter()
    for number in range(DRAWS):
        times[int(drawn(scores, names, sampling, number).tensor(f"choice.{number}.token"))] += 1
    return [
        (name, share, times[n])
        for n, (name, share) in enumerate(zip(names, chances(scores, names, sampling), strict=True))
    ]
