"""The data of the lesson on training, and the deep nets whose gradients it compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.nets import random_net
from llmtrace.lessons.training.words import LEGEND
from llmtrace.ops.losses.absolute_error import absolute_error
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.rng import derive, normal, uniform
from llmtrace.trace import Backward, Run, Trace


def deep_net(layers: int, std: float, activation: str, seed: int) -> Trace:
    """A net of `layers` layers of three neurons with its loss, and the gradients of its weights."""
    net = random_net(seed, "deep", [3] * (layers + 1), std, activation, biased=False)
    trace = Trace(net.weights, legend=LEGEND)
    with Run(net.weights, trace) as run:
        out = net.forward(run, run.leaf("input", np.array((0.5, -0.3, 0.8), np.float32), ("input",)))
        wanted = run.leaf("wanted", np.zeros(3, np.float32), out.axes)
        each = run.do("miss.each", absolute_error, (out, wanted), {})
        run.do("miss.loss", sum_all, (each, None), {}, ())
        Backward(run, trace, "miss.loss").gradients()
    return trace


def gradient_sizes(trace: Trace) -> list[float]:
    """For each layer, the largest absolute gradient of its sums."""
    return [float(np.abs(trace.tensor(f"d.{name.removesuffix('.weight')}.sum")).max()) for name in trace.weights]


def samples(leaf: Sequence[float], flower: Sequence[float], count: int, seed: int) -> tuple[Array, Array]:
    """Leaves and flowers by turns with noise, divided by 100 [count, 4], and their targets [count, 2]."""
    middle = np.array([leaf, flower] * (count // 2))
    inputs = (middle + 40 * normal(derive(seed, "things"), middle.shape)) / 100
    return inputs.astype(np.float32), np.array([(1, 0), (0, 1)] * (count // 2), np.float32)


def noisy_curve(count: int, noise: float, seed: int) -> tuple[Array, Array]:
    """Points of a cubic, [count, 1] each: where, and its value with noise."""
    x = 2 * uniform(derive(seed, "places"), np.arange(count)) - 1
    y = x * (1 - x * x) * 2 + noise * normal(derive(seed, "errors"), (count,))
    return x[:, None].astype(np.float32), y[:, None].astype(np.float32)
