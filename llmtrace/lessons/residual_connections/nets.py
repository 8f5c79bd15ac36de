"""Deep nets with a way round every layer and without: their gradients, and how they learn."""

from __future__ import annotations

import numpy as np

from llmtrace.lessons.nets import Learner, plain_settings, random_net
from llmtrace.lessons.residual_connections.words import LEGEND
from llmtrace.models import GPT
from llmtrace.models.feedforward import ACTIVATIONS
from llmtrace.ops import Tensor
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.losses.absolute_error import absolute_error
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Backward, Run, Trace

INPUT = (0.5, -0.3, 0.8)
"""What goes into the deep nets of the lesson training."""


def layer(run: Run, name: str, x: Tensor, activation: str, residual: bool) -> Tensor:
    """One layer; with a way round it, what went in is added to what it gives."""
    z = run(f"{name}.sum", linear, x, weights=name, transposed=True)
    op = ACTIVATIONS[activation]
    made = z if op is None else run(f"{name}.act", op, z)
    return run.do(f"{name}.out", add, (x, made), {}, x.axes) if residual else made


def deep_residual(layers: int, std: float, activation: str, seed: int) -> Trace:
    """The deep net of the lesson training with the same weights and a way round every layer, with all gradients."""
    net = random_net(seed, "deep", [3] * (layers + 1), std, activation, biased=False)
    trace = Trace(net.weights, legend=LEGEND)
    with Run(net.weights, trace) as run:
        x = run.leaf("input", np.array(INPUT, np.float32), ("number",))
        for name in net.layers:
            x = layer(run, name, x, "none" if name == "output" else activation, True)
        wanted = run.leaf("wanted", np.zeros(3, np.float32), x.axes)
        run.do("miss.loss", sum_all, (run.do("miss.each", absolute_error, (x, wanted), {}, ("output",)), None), {}, ())
        Backward(run, trace, "miss.loss").gradients()
    return trace


class NoWayRound(GPT):
    """A GPT whose blocks hand on only what attention and the MLP give, without what went in."""

    def block(self, run: Run, x: Tensor, number: int) -> Tensor:
        """One block without residual connections."""
        given = self.attention(run, run("ln_1", layer_norm, x, epsilon=self.config.epsilon), number)
        return self.mlp(run, run("ln_2", layer_norm, given, epsilon=self.config.epsilon))


class Deep(Learner):
    """A net of many layers of the same width, with a way round them or without, that learns to tell leaves from flowers."""

    def __init__(self, layers: int, width: int, residual: bool, seed: int, rate: float) -> None:
        widths = [4, *[width] * layers, 2]
        net = random_net(seed, "layer", widths, [0.5, *[1 / np.sqrt(width)] * layers], "sigmoid")
        self._names, self._residual = net.layers, residual
        super().__init__(net.weights, plain_settings(rate, "adam"))

    def forward(self, run: Run, x: Tensor) -> Tensor:
        """Inputs [examples, 4] → outputs [examples, 2]."""
        first, *others, last = self._names
        x = layer(run, first, x, "sigmoid", False)
        for name in others:
            x = layer(run, name, x, "sigmoid", self._residual)
        return layer(run, last, x, "none", False)
