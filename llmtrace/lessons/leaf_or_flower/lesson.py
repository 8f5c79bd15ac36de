"""Leaf or flower: an article's net of three neurons and two outputs, with the article's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.framework.text import formatted
from llmtrace.lessons.leaf_or_flower.exercises import EXERCISES
from llmtrace.lessons.leaf_or_flower.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops import Weight, by_name
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Run, Trace

HIDDEN = ((0.10, -0.29, -0.07, 0.46), (0.12, -0.05, 0.04, 0.16), (-0.36, -0.21, -0.25, 0.08))
"""The weights of the hidden layer, [neuron, input], for red, green, blue and volume."""
OUTPUT = ((-0.17, 0.39, 0.10), (0.21, 0.24, -0.11))
"""The weights of the outputs, [output, neuron]."""
CHOSEN = {(1, 2), (1, 3), (2, 2), (2, 3)}
"""The places in HIDDEN whose weights the article shows only in a picture: they are chosen so that its sums come out."""
VOLUMES = (30, 50, 70, 90, 110)
SLIP = "ours: −26.6 + 0.25 is −26.35; the article has lost the minus sign"


@dataclass
class LeafOrFlower(Lesson):
    """The numbers of the leaf and of the sunflower, and the weights and the bias of the first neuron."""

    name = "leaf-or-flower"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("first neuron: its sum for the leaf", "−26.6", "leaf.tensor('hidden.1.sum')[0]:.1f"),
        Article("a middle neuron (the third one here): its sum", "−47.1", "leaf.tensor('hidden.1.sum')[2]:.1f"),
        Article("second neuron: its weight of red", "0.12", "hidden[1, 0]:.2f"),
        Article("second neuron: its weight of green", "−0.05", "hidden[1, 1]:.2f"),
        Article("third neuron: its weight of red", "−0.36", "hidden[2, 0]:.2f"),
        Article("third neuron: its weight of green", "−0.21", "hidden[2, 1]:.2f"),
        Article("output leaf: its weights", "−0.17, 0.39, 0.10", "output[0]:.2f"),
        Article("output leaf", "0.8", "leaf.tensor('output.sum')[0]:.1f"),
        Article("output flower", "0.2", "leaf.tensor('output.sum')[1]:.1f"),
        Article("first neuron with the bias 0.25", "26.35", "leaf_with_bias.tensor('hidden.1.sum')[0]:.2f", SLIP),
    )

    chosen = (
        "the weights of the second and third neuron for blue and volume (0.04, 0.16; −0.25, 0.08), those of the output"
        " flower (0.21, 0.24, −0.11), and the sunflower's numbers."
    )

    red: float = 32.0
    green: float = 107.0
    blue: float = 56.0
    volume: float = 11.2
    flower: tuple[float, ...] = (241.0, 200.0, 4.0, 59.5)
    weights: tuple[float, ...] = HIDDEN[0]
    bias: float = 0.25

    @property
    def brightest(self) -> int:
        """The largest value of a colour channel."""
        return 255

    def check(self) -> None:
        """LessonError where a colour is out of range."""
        self.require_within(dict.fromkeys(("red", "green", "blue"), (0, self.brightest)))

    # ---- the net -------------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> dict[str, Sequence[str]]:
        """The labels of the inputs and outputs."""
        inputs = (_("red"), _("green"), _("blue"), _("volume"))
        return {"input": inputs, "output": (_("leaf"), _("flower"))}

    @property
    def leaf_numbers(self) -> tuple[float, ...]:
        """The leaf's numbers."""
        return self.red, self.green, self.blue, self.volume

    @property
    def hidden(self) -> Array:
        """The weights of the hidden layer, [neuron, input]."""
        return np.array((self.weights, *HIDDEN[1:]), np.float32)

    @property
    def output(self) -> Array:
        """The weights of the outputs, [output, neuron]."""
        return np.array(OUTPUT, np.float32)

    @cached_property
    def net(self) -> Feedforward:
        """The net without biases and activation."""
        return Feedforward.of(self.hidden, self.output, labels=self.labels)

    @cached_property
    def leaf(self) -> Trace:
        """The net for the leaf."""
        return self.net.trace(self.leaf_numbers)

    @cached_property
    def sunflower(self) -> Trace:
        """The net for the sunflower."""
        return self.net.trace(self.flower)

    @property
    def sums(self) -> Array:
        """The weighted sums of the hidden layer for the leaf."""
        return self.leaf["hidden.1.sum"].output

    @property
    def outputs(self) -> Array:
        """The outputs for the leaf."""
        return self.leaf["output.sum"].output

    @property
    def flower_outputs(self) -> Array:
        """The outputs for the sunflower."""
        return self.sunflower["output.sum"].output

    def larger(self, outputs: Array) -> str:
        """The label of the larger output."""
        return str(self.labels["output"][int(outputs.argmax())])

    @cached_property
    def things(self) -> list[tuple[Any, ...]]:
        """The numbers of the leaf and of the sunflower."""
        return [(_("leaf"), *self.leaf_numbers), (_("sunflower"), *self.flower)]

    @cached_property
    def weights_table(self) -> list[tuple[Any, ...]]:
        """The weights of the hidden layer, those not of the article with a star, and each neuron's sum for the leaf."""
        rows = enumerate(zip(self.hidden.tolist(), self.recorded("leaf", "hidden.1.sum"), strict=True))
        return [
            (n, *(formatted(w, ".2f") + ("*" if (n, k) in CHOSEN else " ") for k, w in enumerate(row)), total)
            for n, (row, total) in rows
        ]

    @cached_property
    def weather(self) -> Trace:
        """The net for the leaf's numbers, with other labels for the inputs and outputs."""
        inputs = (_("temperature"), _("humidity"), _("cloud"), _("wind"))
        labels = {"input": inputs, "output": (_("sunny day"), _("rainy day"))}
        return Feedforward.of(self.hidden, self.output, labels=labels).trace(self.leaf_numbers)

    # ---- two layers are one --------------------------------------------------------------------------------------------

    @cached_property
    def collapse(self) -> Trace:
        """Both weight matrices multiplied into one, and the one layer that this makes, for the leaf."""
        axes = ("output", "input")
        matrix = Weight("hidden.1.weight", self.hidden, ("neuron", "input"))
        trace = Trace(by_name([matrix]), legend=LEGEND)
        trace.labels = dict(self.labels)
        with Run({}, trace) as run:
            outputs = run.leaf("output.weight", self.output, ("output", "neuron"))
            given = run.leaf("input", np.array(self.leaf_numbers, np.float32), ("input",))
            product = run.do("one.weight", linear, (outputs, matrix, None), {}, axes)
            one = Weight(product.name, product.data, axes)
            run.do("one.sum", linear, (given, one, None), {"transposed": True}, ("output",))
        return trace

    @cached_property
    def one_layer(self) -> list[tuple[Any, ...]]:
        """The outputs for the leaf by two layers and by the one layer that replaces them."""
        two, one = self.recorded("leaf", "output.sum"), self.recorded("collapse", "one.sum")
        return list(zip(self.labels["output"], two, one, strict=True))

    # ---- activation and bias -------------------------------------------------------------------------------------------

    @cached_property
    def bent_net(self) -> Feedforward:
        """The net with ReLU after the hidden layer."""
        return Feedforward.of(self.hidden, self.output, activation="relu", labels=self.labels)

    @cached_property
    def bent(self) -> Trace:
        """The net with ReLU for the leaf."""
        return self.bent_net.trace(self.leaf_numbers)

    @cached_property
    def bent_table(self) -> list[tuple[Any, ...]]:
        """Each hidden neuron's sum for the leaf, and its ReLU."""
        columns = (self.recorded("bent", f"hidden.1.{part}") for part in ("sum", "act"))
        return [(n, *both) for n, both in enumerate(zip(*columns, strict=True))]

    @cached_property
    def growing(self) -> list[tuple[Any, ...]]:
        """The first output for larger and larger leaves, without and with ReLU, and by how much each has grown."""
        rows: list[tuple[Any, ...]] = []
        for volume in VOLUMES:
            leaf = (*self.leaf_numbers[:3], volume)
            plain, bent = float(self.net(leaf)[0]), float(self.bent_net(leaf)[0])
            more = (plain - rows[-1][1], bent - rows[-1][3]) if rows else ("", "")
            rows.append((volume, plain, more[0], bent, more[1]))
        return rows

    @property
    def even(self) -> bool:
        """Whether the first output of the net with ReLU grows by the same amount at every step, too."""
        steps = [row[4] for row in self.growing[1:]]
        return max(steps) - min(steps) < 0.01

    @cached_property
    def leaf_with_bias(self) -> Trace:
        """The net for the leaf, where the first neuron has a bias."""
        biases = ((self.bias, 0, 0), (0, 0))
        return Feedforward.of(self.hidden, self.output, biases=biases, labels=self.labels).trace(self.leaf_numbers)
