"""The small net of every textbook: layers of neurons, Z = φ(X·Wᵀ + B), from the inputs to the outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.models.model import Model
from llmtrace.ops import Op, Tensor, Weight, by_name
from llmtrace.ops.elementwise.relu import relu
from llmtrace.ops.elementwise.sigmoid import sigmoid
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.linear import linear
from llmtrace.text import cited
from llmtrace.trace import Origin, Run, Trace

ACTIVATIONS: dict[str, Op | None] = {"none": None, "relu": relu, "sigmoid": sigmoid, "tanh": tanh}
"""φ, by name: what a neuron makes of its sum."""


@frozen
class FeedforwardConfig:
    """What a feed-forward net is, besides its weights: φ of the hidden layers, and of the outputs."""

    activation: str = "none"
    last: str = "none"


class Feedforward(Model):
    """Layers of neurons. A neuron multiplies every number that comes in by a weight, adds up, adds its bias, and bends the sum.

    The hidden layers are called `hidden.1`, `hidden.2` …, the last one `output`; each gives a step `.sum`, and where it has
    an activation function a step `.act`.

    weights: `hidden.1.weight` [neurons, inputs], `hidden.1.bias` [neurons], and so on; see `Feedforward.of`.
    activation, last: φ of the hidden layers, and of the outputs.
    labels: what the places of the axes `input` and `output` are called, such as {"input": ["red", "green"]}.
    """

    config: FeedforwardConfig
    legend = FEEDFORWARD

    def __init__(
        self,
        weights: Mapping[str, Weight],
        activation: str = "none",
        last: str = "none",
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        for name in (activation, last):
            if name not in ACTIVATIONS:
                raise ModelError(
                    _(
                        "there is no activation function {name}; there are {known}",
                        name=cited(name),
                        known=listed(ACTIVATIONS),
                    )
                )
        super().__init__(FeedforwardConfig(activation, last), weights, "feedforward")
        self.labels = dict(labels or {})
        self.layers = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]

    @classmethod
    def of(
        cls,
        *matrices: npt.ArrayLike,
        biases: Sequence[npt.ArrayLike] | None = None,
        activation: str = "none",
        last: str = "none",
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> Feedforward:
        """A net of given numbers: a matrix for each layer, with a row for each neuron; without `biases`, no neuron has one."""
        weights: list[Weight] = []
        for n, matrix in enumerate(matrices, 1):
            layer, axis = (f"hidden.{n}", "neuron") if n < len(matrices) else ("output", "output")
            axes = (axis, "input" if n == 1 else "from")
            weights.append(Weight(f"{layer}.weight", np.array(matrix, np.float32), axes))
            if biases is not None:
                weights.append(Weight(f"{layer}.bias", np.array(biases[n - 1], np.float32), (axis,)))
        return cls(by_name(weights), activation, last, labels)

    def forward(self, run: Run, x: Tensor) -> Tensor:
        """Inputs [*, I] → outputs [*, O]."""
        for layer in self.layers[:-1]:
            x = self.layer(run, layer, x, ACTIVATIONS[self.config.activation])
        return self.layer(run, self.layers[-1], x, ACTIVATIONS[self.config.last])

    def layer(self, run: Run, layer: str, x: Tensor, activation: Op | None) -> Tensor:
        """One layer: every neuron's weighted sum, then φ."""
        z = run(f"{layer}.sum", linear, x, weights=layer, transposed=True)
        return z if activation is None else run(f"{layer}.act", activation, z)

    def trace(self, inputs: npt.ArrayLike) -> Trace:
        """Runs one example [I], or several [examples, I], and records every step."""
        trace = Trace(self.weights, origin=Origin(self.name), legend=self.legend)
        trace.labels = dict(self.labels)
        with Run(self.weights, trace) as run:
            self.forward(run, run.leaf("input", *_example(inputs)))
        return trace

    def __call__(self, inputs: npt.ArrayLike) -> Array:
        """The outputs. Nothing is recorded."""
        result = f"output.{'sum' if self.config.last == 'none' else 'act'}"
        with Run(self.weights, results=frozenset({result})) as run:
            return self.forward(run, Tensor("input", *_example(inputs))).data


def _example(inputs: npt.ArrayLike) -> tuple[Array, tuple[str, ...]]:
    data = np.array(inputs, np.float32)
    return data, ("example", "input")[-data.ndim :]
