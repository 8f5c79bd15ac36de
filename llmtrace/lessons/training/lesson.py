"""Training: the weights of a net are changed, step by step, against the gradient of its loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import TrainingError
from llmtrace.lessons.framework.lesson import Article, Lesson, input_text
from llmtrace.lessons.leaf_or_flower.lesson import HIDDEN, LeafOrFlower
from llmtrace.lessons.nets import Descent, random_net, squared_loss
from llmtrace.lessons.training.exercises import EXERCISES
from llmtrace.lessons.training.nets import deep_net, gradient_sizes, noisy_curve, samples
from llmtrace.lessons.training.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops.losses.absolute_error import absolute_error
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Backward, Run, Trace

OUTPUT = ((-0.17, 0.39, 0.10416), (0.21, 0.24, -0.11425))
"""The weights of the outputs, a little off, so that the outputs are (0.6, 0.4)."""
SHOWN = (0, 1, 2, 3, 5, 10, 20)
EPOCHS = (0, 1, 2, 5, 10, 20)
FITTED = (0, 30, 100, 300, 1000, 3000)


@dataclass
class Training(Lesson):
    """The leaf and its targets, the learning rates, and the nets of the later pages."""

    name = "training"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("the loss: wanted (0.8, 0.2), got (0.6, 0.4)", "0.4", "missed.tensor('miss.total'):.1f"),
        Article("output leaf before training", "0.6", "got[0]:.1f"),
        Article("output flower before training", "0.4", "got[1]:.1f"),
        Article(
            "the direction in which a weight is moved",
            "the gradient's",
            "'against the gradient' if calm[-1][3] < calm[0][3] else 'with it'",
            "ours: along the gradient the loss grows; a step goes against it",
        ),
    )
    chosen = "the third weight of each output (0.10416, −0.11425), so that the net begins with (0.6, 0.4)."

    leaf: tuple[float, ...] = (32.0, 107.0, 56.0, 11.2)
    wanted: tuple[float, ...] = (0.8, 0.2)
    nudge: float = 0.0001
    rate: float = 0.00003
    large: float = 0.0003
    layers: int = 8
    noise: float = 0.3
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within({"layers": (2, 12), **dict.fromkeys(("nudge", "rate", "large"), (1e-7, 1))})

    # ---- how wrong -----------------------------------------------------------------------------------------------------

    @cached_property
    def net(self) -> Feedforward:
        """The net of leaf and flower, with outputs that are a little off."""
        labels = LeafOrFlower().labels
        return Feedforward.of(HIDDEN, OUTPUT, labels=labels)

    @property
    def changed(self) -> list[tuple[float, float]]:
        """The third weight of each output, in the lesson on leaf and flower and here."""
        return [(float(old[2]), new[2]) for old, new in zip(LeafOrFlower().output, OUTPUT, strict=True)]

    @property
    def sums(self) -> Array:
        """The weighted sums of the hidden layer for the leaf."""
        return self.slope["hidden.1.sum"].output

    @property
    def got(self) -> Array:
        """The outputs for the leaf."""
        return self.net(self.leaf)

    @cached_property
    def missed(self) -> Trace:
        """The absolute errors of the outputs, and their sum."""
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"output": self.net.labels["output"]}
        with Run({}, trace) as run:
            got = run.leaf("got", self.got, ("output",))
            wanted = run.leaf("wanted", np.array(self.wanted, np.float32), ("output",))
            run.do("miss.total", sum_all, (run.do("miss.each", absolute_error, (got, wanted), {}), None), {}, ())
        return trace

    @property
    def both(self) -> list[tuple[Any, ...]]:
        """Each output's target, value and absolute error."""
        each = self.recorded("missed", "miss.each")
        return list(zip(self.net.labels["output"], self.wanted, self.got, each, strict=True))

    # ---- one weight, all weights ---------------------------------------------------------------------------------------

    @cached_property
    def slope(self) -> Trace:
        """The net for the leaf, its squared loss, and the gradient of every weight."""
        trace = Trace(self.net.weights, legend=LEGEND)
        trace.labels = dict(self.net.labels)
        with Run(self.net.weights, trace) as run:
            squared_loss(run, self.net.forward, np.array(self.leaf, np.float32), np.array(self.wanted, np.float32))
            Backward(run, trace, "miss.loss").gradients()
        return trace

    def plainly(self, number: float) -> str:
        """A small number without an exponent."""
        return input_text(number)

    @property
    def loss(self) -> float:
        """The squared loss for the leaf."""
        return float(self.slope.tensor("miss.loss"))

    def nudged(self, output: int, neuron: int) -> float:
        """The loss after one weight of an output has grown by the nudge."""
        weights = np.array(OUTPUT, np.float32)
        weights[output, neuron] += np.float32(self.nudge)
        with Run(net := Feedforward.of(HIDDEN, weights).weights, trace := Trace(net)) as run:
            squared_loss(
                run, Feedforward(net).forward, np.array(self.leaf, np.float32), np.array(self.wanted, np.float32)
            )
        return float(trace.tensor("miss.loss"))

    @cached_property
    def nudges(self) -> list[tuple[Any, ...]]:
        """For every weight of the outputs: the loss after its nudge, the difference quotient, and the gradient."""
        gradient = self.recorded("slope", "d.output.weight")
        rows: list[tuple[Any, ...]] = []
        for output, name in enumerate(self.net.labels["output"]):
            for neuron in range(3):
                after = self.nudged(output, neuron)
                change = after - self.loss
                rows.append((name, neuron, after, change / self.nudge, gradient[output][neuron]))
        return rows

    @property
    def nudge_table(self) -> list[tuple[Any, ...]]:
        """For every weight of the outputs: the loss after its nudge, and the difference quotient."""
        return [row[:4] for row in self.nudges]

    # ---- descent -------------------------------------------------------------------------------------------------------

    @cached_property
    def descent(self) -> Descent:
        """The training of the net on the leaf."""
        return Descent(self.net, self.rate)

    @cached_property
    def first_step(self) -> Trace:
        """The first training step on the leaf, recorded."""
        return self.descent.traced(np.array(self.leaf, np.float32), np.array(self.wanted, np.float32), self.net.labels)

    def losses(self, rate: float) -> list[tuple[Any, ...]]:
        """The outputs and the loss before some training steps with a learning rate, as long as they are finite."""
        descent, rows = Descent(self.net, rate), []
        leaf, wanted = np.array(self.leaf, np.float32), np.array(self.wanted, np.float32)
        for step in range(SHOWN[-1] + 1):
            out = Feedforward(descent.weights)(leaf)
            try:
                loss = descent.step(leaf, wanted)
            except TrainingError:  # a number became too large to be one
                break
            if step in SHOWN:
                rows.append((step, *out, loss))
        return rows

    @cached_property
    def calm(self) -> list[tuple[Any, ...]]:
        """The outputs and the loss before some training steps with `rate`."""
        return self.losses(self.rate)

    @cached_property
    def wild(self) -> list[tuple[Any, ...]]:
        """The outputs and the loss before some training steps with `large`."""
        return self.losses(self.large)[:5]

    # ---- many examples -------------------------------------------------------------------------------------------------

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """Leaves and flowers with their targets: 80 to train on, then 40 held out."""
        return samples(self.leaf, LeafOrFlower.flower, 120, self.seed)

    @property
    def batch(self) -> int:
        """The batch size."""
        return 8

    @cached_property
    def epochs(self) -> list[tuple[Any, ...]]:
        """The mean loss after some epochs, and how many of the held-out examples are classified right."""
        (inputs, wanted), rows = self.data, []
        descent = Descent(random_net(self.seed, "layer", (4, 3, 2), 0.5, "sigmoid"), 0.1)
        for epoch in self.tracked(EPOCHS[-1] + 1):
            if epoch in EPOCHS:
                outputs = descent.net(inputs[80:])
                right = outputs.argmax(axis=1) == wanted[80:].argmax(axis=1)
                rows.append((epoch, descent.loss(inputs[:80], wanted[:80]), int(right.sum())))
            for start in range(0, 80, self.batch):
                descent.step(inputs[start : start + self.batch], wanted[start : start + self.batch])
        return rows

    # ---- deep nets -----------------------------------------------------------------------------------------------------

    @cached_property
    def vanishing(self) -> Trace:
        """The gradients of a deep net with sigmoids."""
        return deep_net(self.layers, 1.0, "sigmoid", self.seed)

    @cached_property
    def exploding(self) -> Trace:
        """The gradients of a deep net with large weights."""
        return deep_net(self.layers, 2.0, "none", self.seed)

    @cached_property
    def sizes(self) -> list[tuple[Any, ...]]:
        """For each layer, the largest gradient of its sums in the net with sigmoids and in the one with large weights."""
        pairs = zip(gradient_sizes(self.vanishing), gradient_sizes(self.exploding), strict=True)
        return [(n, *both) for n, both in enumerate(pairs, 1)]

    # ---- overfitting ---------------------------------------------------------------------------------------------------

    @cached_property
    def fitted(self) -> list[tuple[Any, ...]]:
        """The loss of a wide net in training and on held-out points, after some steps."""
        (x, y), (others, theirs), rows = (
            noisy_curve(10, self.noise, self.seed),
            noisy_curve(60, self.noise, self.seed + 1),
            [],
        )
        descent = Descent(random_net(self.seed, "layer", (1, 24, 1), 1.5, "tanh"), 0.02, optimiser="adam")
        for step in self.tracked(FITTED[-1] + 1):
            if step in FITTED:
                rows.append((step, descent.loss(x, y), descent.loss(others, theirs)))
            descent.step(x, y)
        return rows

    @property
    def fitting(self) -> dict[str, int]:
        """The sizes of the wide net and of its data."""
        return {"neurons": 24, "points": 10, "others": 60}

    @property
    def best(self) -> int:
        """The steps after which the loss on held-out points was smallest."""
        return int(min(self.fitted, key=lambda row: row[2])[0])
