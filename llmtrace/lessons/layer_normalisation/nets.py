"""Deep nets whose sums are standardised layer by layer, or not: how large their numbers become, and how they learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.layer_normalisation.words import LEGEND
from llmtrace.lessons.nets import Learner, plain_settings, random_net
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.subtract import subtract
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.ops.rows.normalise import normalise
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run, Trace

EPSILON = 1e-5
"""What layer norm adds to the variance, as in the bundled model."""


def marks_trace(marks: Sequence[float], gain: float, shift: float) -> Trace:
    """Marks brought between 0 and 1; to mean 0 and deviation 1; scaled and shifted; and through softmax."""
    numbers = np.array(marks, np.float32)
    scale = (
        Weight("scaled.gain", np.full_like(numbers, gain), ("place",)),
        Weight("scaled.bias", np.full_like(numbers, shift), ("place",)),
    )
    trace = Trace({weight.name: weight for weight in scale}, legend=LEGEND)
    with Run(trace.weights, trace) as run:
        given = run.leaf("marks", numbers, ("place",))
        above = run("above", subtract, given, run.leaf("smallest", np.full_like(numbers, numbers.min()), ("place",)))
        run("between", divide_by, above, divisor=float(numbers.max() - numbers.min()))
        run("normal", normalise, given, epsilon=EPSILON)
        run("scaled", layer_norm, given, epsilon=EPSILON)
        run("shares", softmax, given)
    return trace


class Deep(Learner):
    """A net of many layers of the same width that learns to tell leaves from flowers; its sums are standardised, or not."""

    def __init__(self, layers: int, width: int, std: float, normed: bool, seed: int, rate: float) -> None:
        net = random_net(seed, "layer", [4, *[width] * layers, 2], std, "tanh")
        self._names, self._normed = net.layers, normed
        one, zero = np.ones(width, np.float32), np.zeros(width, np.float32)
        more = {
            f"{name}.norm.{kind}": Weight(f"{name}.norm.{kind}", numbers, ("neuron",))
            for name in net.layers[:-1]
            for kind, numbers in (("gain", one), ("bias", zero))
        }
        super().__init__({**net.weights, **(more if normed else {})}, plain_settings(rate))

    def forward(self, run: Run, x: Tensor) -> Tensor:
        """Inputs [examples, 4] → outputs [examples, 2]."""
        for name in self._names[:-1]:
            z = run(f"{name}.sum", linear, x, weights=name, transposed=True)
            x = run(f"{name}.act", tanh, run(f"{name}.norm", layer_norm, z, epsilon=EPSILON) if self._normed else z)
        return run("output.sum", linear, x, weights="output", transposed=True)

    def trace(self, inputs: Array) -> Trace:
        """The net at some examples, recorded."""
        trace = Trace(self.weights, legend=LEGEND)
        with Run(self.weights, trace) as run:
            self.forward(run, run.leaf("input", inputs, ("example", "input")))
        return trace

    def spreads(self, inputs: Array) -> list[float]:
        """For each hidden layer, the root mean square of what its activation function is given."""
        trace, kind = self.trace(inputs), "norm" if self._normed else "sum"
        return [
            float(np.sqrt((trace.tensor(f"{name}.{kind}").astype(np.float64) ** 2).mean())) for name in self._names[:-1]
        ]
