"""What the lesson on training learns from, and the deep nets whose gradients it compares."""

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


def deep(layers: int, std: float, activation: str, seed: int) -> Trace:
    """A net of many layers of three neurons, and the gradients of its weights."""
    net = random_net(seed, "deep", [3] * (layers + 1), std, activation, biased=False)
    trace = Trace(net.weights, legend=LEGEND)
    with Run(net.weights, trace) as run:
        out = net.forward(run, run.leaf("input", np.array((0.5, -0.3, 0.8), np.float32), ("input",)))
        wanted = run.leaf("wanted", np.zeros(3, np.float32), out.axes)
        each = run.do("miss.each", absolute_error, (out, wanted), {})
        run.do("miss.loss", sum_all, (each, None), {}, ())
        Backward(run, trace, "miss.loss").gradients()
    return trace


def sizes(trace: Trace) -> list[float]:
    """The largest gradient of what each layer adds up, without its sign."""
    return [float(np.abs(trace.tensor(f"d.{name.removesuffix('.weight')}.sum")).max()) for name in trace.weights]


def samples(leaf: Sequence[float], flower: Sequence[float], count: int, seed: int) -> tuple[Array, Array]:
    """Leaves and flowers by turns, all a little different, in hundreds so that numbers stay small; and what is wanted."""
    middle = np.array([leaf, flower] * (count // 2))
    inputs = (middle + 40 * normal(derive(seed, "things"), middle.shape)) / 100
    return inputs.astype(np.float32), np.array([(1, 0), (0, 1)] * (count // 2), np.float32)


def wave(count: int, noise: float, seed: int) -> tuple[Array, Array]:
    """A curve up and down, measured at some places, with errors."""
    x = 2 * uniform(derive(seed, "places"), np.arange(count)) - 1
    y = x * (1 - x * x) * 2 + noise * normal(derive(seed, "errors"), (count,))
    return x[:, None].astype(np.float32), y[:, None].astype(np.float32)
