"""What the lesson on training trains: small nets, their loss, their data, and descent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.nets_words import NETS
from llmtrace.lessons.training.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.losses.absolute_error import absolute_error
from llmtrace.ops.losses.squared_error import squared_error
from llmtrace.ops.rows.total import total
from llmtrace.rng import derive, normal, uniform
from llmtrace.trace import Backward, Run, Trace
from llmtrace.training import Settings, Trainer


def loss_of(run: Run, net: Feedforward, inputs: Array, wanted: Array) -> Tensor:
    """The squared differences of all outputs, added up; for several examples, divided by how many there are."""
    axes = ("example", "input")[-inputs.ndim :]
    out = net.forward(run, run.leaf("input", inputs, axes))
    each = run.do("miss.squared", squared_error, (out, run.leaf("wanted", wanted, out.axes)), {})
    if inputs.ndim == 1:
        return run.do("miss.loss", total, (each, None), {}, ())
    summed = run.do("miss.total", total, (each, None), {}, ())
    return run.do("miss.loss", divide_by, (summed,), {"divisor": float(len(inputs))}, ())


class Descent:
    """A net that learns: at every step all weights go a little way against their gradients.

    l1, l2: how strongly all weights are pulled towards 0 besides.
    """

    def __init__(
        self, net: Feedforward, rate: float, optimiser: str = "sgd", *, l1: float = 0.0, l2: float = 0.0
    ) -> None:
        settings = Settings(
            rate=rate,
            schedule="constant",
            warmup=0,
            optimiser=optimiser,
            momentum=0.0 if optimiser == "sgd" else 0.9,
            decay=0.0,
            l1=l1,
            l2=l2,
            clip=0.0,
        )
        self._trainer = Trainer(net.weights, settings)
        self._activation, self._last = net.activation, net.last

    @property
    def net(self) -> Feedforward:
        """The net as it is now."""
        return Feedforward(self.weights, self._activation, self._last)

    @property
    def weights(self) -> Mapping[str, Weight]:
        """The weights as they are now."""
        return self._trainer.state.weights

    def step(self, inputs: Array, wanted: Array, trace: Trace | None = None) -> float:
        """One step; the loss before it."""
        net = self.net

        def part(run: Run, _summed: Tensor | None) -> tuple[Tensor, Tensor]:
            loss = loss_of(run, net, inputs, wanted)
            return loss, loss

        return self._trainer.step([part], trace=trace).loss

    def traced(self, inputs: Array, wanted: Array, labels: Mapping[str, Sequence[str]]) -> Trace:
        """One step, recorded."""
        trace = Trace(self.weights, legend=NETS)
        trace.labels = dict(labels)
        self.step(inputs, wanted, trace)
        return trace

    def loss(self, inputs: Array, wanted: Array) -> float:
        """The loss, without learning."""
        trace = Trace(self.weights, legend=NETS)
        with Run(self.weights, trace) as run:
            return float(loss_of(run, self.net, inputs, wanted).data)


def wide_net(widths: Sequence[int], spread: float, seed: int, activation: str) -> Feedforward:
    """A net with random weights."""
    pairs = list(zip(widths[1:], widths, strict=False))
    matrices = [spread * normal(derive(seed, "layer", n), pair) for n, pair in enumerate(pairs)]
    return Feedforward.of(*matrices, biases=[np.zeros(w) for w in widths[1:]], activation=activation)


def deep(layers: int, spread: float, activation: str, seed: int) -> Trace:
    """A net of many layers of three neurons, and the gradients of its weights."""
    matrices = [spread * normal(derive(seed, "deep", n), (3, 3)) for n in range(layers)]
    net = Feedforward.of(*matrices, activation=activation)
    trace = Trace(net.weights, legend=LEGEND)
    with Run(net.weights, trace) as run:
        out = net.forward(run, run.leaf("input", np.array((0.5, -0.3, 0.8), np.float32), ("input",)))
        wanted = run.leaf("wanted", np.zeros(3, np.float32), out.axes)
        each = run.do("miss.each", absolute_error, (out, wanted), {})
        run.do("miss.loss", total, (each, None), {}, ())
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
