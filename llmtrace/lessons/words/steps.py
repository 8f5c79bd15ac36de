"""The small calculations of the lesson on nine words: a line and a curve, activation functions, descents, and fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.nets import Descent, random_net
from llmtrace.lessons.training.nets import noisy_curve
from llmtrace.lessons.words.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops import Op, Weight, by_name
from llmtrace.ops.elementwise.gelu_tanh import gelu_tanh
from llmtrace.ops.elementwise.relu import relu
from llmtrace.ops.elementwise.sigmoid import sigmoid
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Run, Trace

POINTS, OTHERS, STEPS = 10, 60, 1000
ACTIVATIONS: dict[str, Op] = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh, "gelu": gelu_tanh}


def sums(weights: Sequence[float], first: Sequence[float], second: Sequence[float]) -> Trace:
    """A neuron without bias at a, at b, at a + b and at 2·a: its sum, and the sum bent by tanh."""
    a, b = (np.array(numbers, np.float32) for numbers in (first, second))
    weight = Weight("straight.weight", np.array([weights], np.float32), ("neuron", "input"))
    trace = Trace(by_name([weight]), legend=LEGEND)
    trace.labels = {"example": ("a", "b", "a + b", "2·a")}
    with Run(trace.weights, trace) as run:
        x = run.leaf("x", np.stack([a, b, a + b, 2 * a]), ("example", "input"))
        run("curved", tanh, run("straight", linear, x, transposed=True))
    return trace


def bends(numbers: Sequence[float]) -> Trace:
    """What each activation function makes of some numbers."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        x = run.leaf("x", np.array(numbers, np.float32), ("input",))
        for name, op in ACTIVATIONS.items():
            run(name, op, x)
    return trace


def one_weight(rate: float, l2: float = 0.0) -> Descent:
    """A net of one weight, 0 at first, that is to become 3."""
    return Descent(Feedforward.of([[0.0]]), rate, l2=l2)


ONE, THREE = np.array([1], np.float32), np.array([3], np.float32)


def descents(rates: Sequence[float], shown: Sequence[int]) -> list[tuple[Any, ...]]:
    """The weight of that net after some steps, for several learning rates."""
    nets, rows = [one_weight(rate) for rate in rates], []
    for step in range(shown[-1] + 1):
        if step in shown:
            rows.append((step, *(float(net.weights["output.weight"].data[0, 0]) for net in nets)))
        for net in nets:
            net.step(ONE, THREE)
    return rows


def fitted(neurons: int, l2: float, noise: float, seed: int, steps: Iterator[int]) -> tuple[float, float, float]:
    """A net that has learned a curve: its loss on the points, on held-out ones, and the spread of its weights."""
    descent = Descent(random_net(seed, "layer", (1, neurons, 1), 1.5, "tanh"), 0.02, optimiser="adam", l2=l2)
    known, others = noisy_curve(POINTS, noise, seed), noisy_curve(OTHERS, noise, seed + 1)
    for _step in steps:
        descent.step(*known)
    weights: Array = np.concatenate([w.data.ravel().astype(np.float64) for w in descent.weights.values()])
    return descent.loss(*known), descent.loss(*others), float(np.sqrt((weights**2).mean()))
