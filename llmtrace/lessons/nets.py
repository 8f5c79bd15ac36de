"""The small nets that several lessons train: random weights, the squared error, and gradient descent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.nets_words import NETS
from llmtrace.models import Feedforward
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.losses.squared_error import squared_error
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.rng import derive, normal
from llmtrace.trace import Run, Trace
from llmtrace.trace.legend import Legend
from llmtrace.training import Part, Settings, Trainer

Forward = Callable[[Run, Tensor], Tensor]


def random_net(
    seed: int, name: str, widths: Sequence[int], std: float | Sequence[float], activation: str, biased: bool = True
) -> Feedforward:
    """A net whose weights are normally distributed about 0 and whose biases, if it is `biased`, are 0.

    widths: how many numbers go in, and how many neurons each layer has.
    std: the standard deviation of the weights, of all layers or of each.
    """
    shapes = zip(widths[1:], widths[:-1], np.broadcast_to(std, len(widths) - 1), strict=True)
    matrices = [own * normal(derive(seed, name, n), (rows, columns)) for n, (rows, columns, own) in enumerate(shapes)]
    biases = [np.zeros(width) for width in widths[1:]] if biased else None
    return Feedforward.of(*matrices, biases=biases, activation=activation)


def squared_loss(run: Run, forward: Forward, inputs: Array, wanted: Array) -> Tensor:
    """Inputs [I] or [examples, I] → the squared errors of all outputs, added up; the mean of that over several examples."""
    axes = ("example", "input")[-inputs.ndim :]
    out = forward(run, run.leaf("input", inputs, axes))
    each = run.do("miss.squared", squared_error, (out, run.leaf("wanted", wanted, out.axes)), {})
    if inputs.ndim == 1:
        return run.do("miss.loss", sum_all, (each, None), {}, ())
    summed = run.do("miss.total", sum_all, (each, None), {}, ())
    return run.do("miss.loss", divide_by, (summed,), {"divisor": float(len(inputs))}, ())


def plain_settings(rate: float, optimiser: str = "sgd", **others: Any) -> Settings:
    """Settings of plain gradient descent: a constant rate, no warm-up, no momentum of SGD, no decay, no clipping."""
    momentum = 0.0 if optimiser == "sgd" else 0.9
    plain: dict[str, Any] = {"schedule": "constant", "warmup": 0, "momentum": momentum, "decay": 0.0, "clip": 0.0}
    return Settings(rate=rate, optimiser=optimiser, **{**plain, **others})


def trained(
    weights: Mapping[str, Weight], batch: Part, rate: float, steps: Iterator[int]
) -> tuple[Mapping[str, Weight], list[float]]:
    """The weights after all steps of SGD on one batch, and the loss before each step and after the last."""
    trainer = Trainer(weights, plain_settings(rate))
    losses = [trainer.step([batch]).loss for _step in steps]
    return trainer.state.weights, [*losses, trainer.evaluate([batch])]


class Learner(ABC):
    """A net that learns from the squared errors of its outputs."""

    legend: Legend = NETS

    def __init__(self, weights: Mapping[str, Weight], settings: Settings) -> None:
        self._trainer = Trainer(weights, settings)

    @property
    def weights(self) -> Mapping[str, Weight]:
        """The weights as they are now."""
        return self._trainer.state.weights

    @abstractmethod
    def forward(self, run: Run, x: Tensor) -> Tensor:
        """Inputs [I] or [examples, I] → outputs."""

    def step(self, inputs: Array, wanted: Array, trace: Trace | None = None) -> float:
        """One step; returns the loss before it."""
        return self._trainer.step([self._part(inputs, wanted)], trace=trace).loss

    def traced(self, inputs: Array, wanted: Array, labels: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Trace:
        """One step, recorded."""
        trace = Trace(self.weights, legend=self.legend)
        trace.labels = dict(labels)
        self.step(inputs, wanted, trace)
        return trace

    def loss(self, inputs: Array, wanted: Array) -> float:
        """The loss, without learning."""
        return self._trainer.evaluate([self._part(inputs, wanted)])

    def right(self, inputs: Array, wanted: Array) -> int:
        """Of how many examples the largest output is the one that is wanted."""
        with Run(self.weights) as run:
            out = self.forward(run, Tensor("input", inputs, ("example", "input"))).data
        return int((out.argmax(axis=1) == wanted.argmax(axis=1)).sum())

    def _part(self, inputs: Array, wanted: Array) -> Part:
        def part(run: Run, _summed: Tensor | None) -> tuple[Tensor, Tensor]:
            loss = squared_loss(run, self.forward, inputs, wanted)
            return loss, loss

        return part


class Descent(Learner):
    """A feed-forward net that learns.

    l1, l2: the strength of the L1 and L2 regularisation.
    """

    def __init__(
        self, net: Feedforward, rate: float, optimiser: str = "sgd", *, l1: float = 0.0, l2: float = 0.0
    ) -> None:
        super().__init__(net.weights, plain_settings(rate, optimiser, l1=l1, l2=l2))
        self._config = net.config

    @property
    def net(self) -> Feedforward:
        """The net as it is now."""
        return Feedforward(self.weights, self._config.activation, self._config.last)

    def forward(self, run: Run, x: Tensor) -> Tensor:
        """Inputs [I] or [examples, I] → outputs."""
        return self.net.forward(run, x)


def side_by_side(
    nets: Sequence[Learner], data: tuple[Array, Array], learned: int, shown: Sequence[int], steps: Iterator[int]
) -> list[tuple[Any, ...]]:
    """After some steps, for each net: its loss, and how many of the held-out examples it tells right."""
    inputs, wanted = data
    known, exam = (inputs[:learned], wanted[:learned]), (inputs[learned:], wanted[learned:])
    rows: list[tuple[Any, ...]] = []
    for step in steps:
        if step in shown:
            rows.append((step, *(number for net in nets for number in (net.loss(*known), net.right(*exam)))))
        for net in nets:
            net.step(*known)
    return rows
