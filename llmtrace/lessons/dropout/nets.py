"""What masks do to the first neuron of leaf and flower, and a net that learns a curve with dropout and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.dropout.words import LEGEND
from llmtrace.lessons.nets import Learner, plain_settings, random_net
from llmtrace.ops import Tensor, Weight, by_name
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.dropout import dropout
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Run, Trace

NEURONS = 24


def all_masks(count: int) -> Array:
    """Every way to keep (1) or leave out (0) so many numbers, [masks, count]."""
    return np.array(list(product((1, 0), repeat=count)), np.float32)


def over_masks(inputs: Sequence[float], weights: Array, masks: Array, names: Sequence[str], kept: float) -> Trace:
    """The first neuron's sum with each mask, their mean, and the whole sum times the share that is kept."""
    numbers = np.array(inputs, np.float32)
    trace = Trace(by_name([Weight("first.weight", weights[:1], ("neuron", "input"))]), legend=LEGEND)
    trace.labels = {"input": names}
    with Run(trace.weights, trace) as run:
        rows = np.broadcast_to(numbers, masks.shape).copy()
        left = run(
            "left", multiply, run.leaf("x", rows, ("mask", "input")), run.leaf("masks", masks, ("mask", "input"))
        )
        sums = run.do(
            "neuron", linear, (left, trace.weights["first.weight"], None), {"transposed": True}, ("mask", "output")
        )
        total = run.do("neurons", sum_all, (sums, None), {}, ())
        run.do("mean", divide_by, (total,), {"divisor": float(len(masks))}, ())
        whole = run.leaf("whole", sums.data[:1, 0].copy(), ("output",))
        run("halved", scale, whole, factor=kept)
    return trace


def dropped(inputs: Sequence[float], names: Sequence[str], rate: float, seed: int) -> Trace:
    """The inputs as dropout leaves them in one step of training."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"input": names}
    with Run({}, trace) as run:
        run("dropped", dropout, run.leaf("x", np.array(inputs, np.float32), ("input",)), rate=rate, seed=seed)
    return trace


class Curve(Learner):
    """A wide net of one hidden layer that learns a curve; in training, so many of its neurons' numbers are left out."""

    legend = LEGEND

    def __init__(self, seed: int, rate: float) -> None:
        net = random_net(seed, "layer", (1, NEURONS, 1), 1.5, "tanh")
        super().__init__(net.weights, plain_settings(0.02, "adam", dropout=rate, seed=seed))

    def forward(self, run: Run, x: Tensor) -> Tensor:
        """Places [examples, 1] → heights [examples, 1]."""
        z = run("hidden.1.sum", linear, x, weights="hidden.1", transposed=True)
        act = run.drop("hidden.1.dropout", run("hidden.1.act", tanh, z))
        return run("output.sum", linear, act, weights="output", transposed=True)


def course(
    nets: Sequence[Curve],
    known: tuple[Array, Array],
    others: tuple[Array, Array],
    shown: Sequence[int],
    steps: Iterator[int],
) -> list[tuple[Any, ...]]:
    """After some steps, for each net: its loss on what it learns, and on others."""
    rows: list[tuple[Any, ...]] = []
    for step in steps:
        if step in shown:
            rows.append((step, *(loss for net in nets for loss in (net.loss(*known), net.loss(*others)))))
        for net in nets:
            net.step(*known)
    return rows
