"""What masks do to the first neuron of leaf and flower, and a net that learns a curve with dropout and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.dropout.words import LEGEND
from llmtrace.lessons.nets import plain_settings, random_net
from llmtrace.ops import Tensor, Weight, by_name
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.dropout import dropout
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.losses.squared_error import squared_error
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Run, Trace
from llmtrace.training import Trainer

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


class Curve:
    """A wide net of one hidden layer that learns a curve; in training, so many of its neurons' numbers are left out."""

    def __init__(self, seed: int, rate: float) -> None:
        net = random_net(seed, "layer", (1, NEURONS, 1), 1.5, "tanh")
        self._trainer = Trainer(net.weights, plain_settings(0.02, "adam", dropout=rate, seed=seed))

    @property
    def weights(self) -> Mapping[str, Weight]:
        """The weights as they are now."""
        return self._trainer.state.weights

    def part(self, x: Array, y: Array) -> Callable[[Run, Tensor | None], tuple[Tensor, Tensor]]:
        """A batch for the trainer."""

        def loss(run: Run, _summed: Tensor | None) -> tuple[Tensor, Tensor]:
            z = run(
                "hidden.1.sum", linear, run.leaf("input", x, ("example", "input")), weights="hidden.1", transposed=True
            )
            act = run.drop("hidden.1.dropout", run("hidden.1.act", tanh, z))
            out = run("output.sum", linear, act, weights="output", transposed=True)
            each = run.do("miss.squared", squared_error, (out, run.leaf("wanted", y, out.axes)), {})
            summed = run.do("miss.total", sum_all, (each, None), {}, ())
            return run.do("miss.loss", divide_by, (summed,), {"divisor": float(len(x))}, ()), summed

        return loss

    def step(self, x: Array, y: Array, trace: Trace | None = None) -> None:
        """One step of training."""
        self._trainer.step([self.part(x, y)], [len(x)], trace)

    def traced(self, x: Array, y: Array) -> Trace:
        """One step, recorded."""
        trace = Trace(self.weights, legend=LEGEND)
        self.step(x, y, trace)
        return trace

    def loss(self, x: Array, y: Array) -> float:
        """The loss with all neurons."""
        return self._trainer.evaluate([self.part(x, y)])


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
