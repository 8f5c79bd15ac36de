"""Leaf or flower: four numbers go in, two come out. The net of the article, with its numbers."""

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
"""The weights of the three neurons in the middle, for red, green, blue and volume."""
OUTPUT = ((-0.17, 0.39, 0.10), (0.21, 0.24, -0.11))
"""Those of the two outputs, for the three neurons."""
CHOSEN = {(1, 2), (1, 3), (2, 2), (2, 3)}
"""Which of HIDDEN the article gives only in a picture: chosen here so that its sums come out, as are those of the flower."""
VOLUMES = (30, 50, 70, 90, 110)
SLIP = "ours: −26.6 + 0.25 is −26.35; the article has lost the minus sign"


@dataclass
class LeafOrFlower(Lesson):
    """The leaf and the sunflower as four numbers, the bias of the first neuron, and its first weights."""

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
        """The largest amount of a colour that a screen knows."""
        return 255

    def check(self) -> None:
        """LessonError where a colour is none."""
        self.require_within(dict.fromkeys(("red", "green", "blue"), (0, self.brightest)))

    # ---- the net -------------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> dict[str, Sequence[str]]:
        """What goes in and comes out."""
        inputs = (_("red"), _("green"), _("blue"), _("volume"))
        return {"input": inputs, "output": (_("leaf"), _("flower"))}

    @property
    def leaf_numbers(self) -> tuple[float, ...]:
        """The leaf."""
        return self.red, self.green, self.blue, self.volume

    @property
    def hidden(self) -> Array:
        """The weights of the middle layer: a row for each neuron."""
        return np.array((self.weights, *HIDDEN[1:]), np.float32)

    @property
    def output(self) -> Array:
        """The weights of the outputs."""
        return np.array(OUTPUT, np.float32)

    @cached_property
    def net(self) -> Feedforward:
        """Four numbers, three neurons, two outputs; no biases, no activation."""
        return Feedforward.of(self.hidden, self.output, labels=self.labels)

    @cached_property
    def leaf(self) -> Trace:
        """The leaf goes through the net."""
        return self.net.trace(self.leaf_numbers)

    @cached_property
    def sunflower(self) -> Trace:
        """The sunflower goes through the net."""
        return self.net.trace(self.flower)

    @property
    def sums(self) -> Array:
        """What the three neurons add up for the leaf."""
        return self.leaf["hidden.1.sum"].output

    @property
    def outputs(self) -> Array:
        """What comes out for the leaf."""
        return self.leaf["output.sum"].output

    @property
    def flower_outputs(self) -> Array:
        """What comes out for the sunflower."""
        return self.sunflower["output.sum"].output

    def larger(self, outputs: Array) -> str:
        """The name of the larger output."""
        return str(self.labels["output"][int(outputs.argmax())])

    @cached_property
    def things(self) -> list[tuple[Any, ...]]:
        """Leaf and sunflower as numbers."""
        return [(_("leaf"), *self.leaf_numbers), (_("sunflower"), *self.flower)]

    @cached_property
    def weights_table(self) -> list[tuple[Any, ...]]:
        """The weights of the middle layer, those chosen here with a star; and each neuron's sum for the leaf."""
        return [
            (n, *(formatted(w, ".2f") + ("*" if (n, k) in CHOSEN else " ") for k, w in enumerate(row)), self.sums[n])
            for n, row in enumerate(self.hidden.tolist())
        ]

    @cached_property
    def weather(self) -> Trace:
        """The same net, with other words for what goes in and comes out."""
        inputs = (_("temperature"), _("humidity"), _("cloud"), _("wind"))
        labels = {"input": inputs, "output": (_("sunny day"), _("rainy day"))}
        return Feedforward.of(self.hidden, self.output, labels=labels).trace(self.leaf_numbers)

    # ---- two layers are one --------------------------------------------------------------------------------------------

    @cached_property
    def collapse(self) -> Trace:
        """The matrices of both layers multiplied, and the leaf through the one layer that comes out."""
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
        """The outputs through two layers and through one."""
        one = self.collapse["one.sum"].output
        return [(name, a, b) for name, a, b in zip(self.labels["output"], self.outputs, one, strict=True)]

    # ---- activation and bias -------------------------------------------------------------------------------------------

    @cached_property
    def bent_net(self) -> Feedforward:
        """The same weights, with ReLU after the middle layer."""
        return Feedforward.of(self.hidden, self.output, activation="relu", labels=self.labels)

    @cached_property
    def bent(self) -> Trace:
        """The leaf through it."""
        return self.bent_net.trace(self.leaf_numbers)

    @cached_property
    def bent_table(self) -> list[tuple[Any, ...]]:
        """Each neuron's sum, and what it passes on."""
        return [(n, *both) for n, both in enumerate(zip(self.sums, self.bent["hidden.1.act"].output, strict=True))]

    @cached_property
    def growing(self) -> list[tuple[Any, ...]]:
        """Output leaf for ever larger leaves, without and with activation; after each, by how much it has grown."""
        rows: list[tuple[Any, ...]] = []
        for volume in VOLUMES:
            leaf = (*self.leaf_numbers[:3], volume)
            plain, bent = float(self.net(leaf)[0]), float(self.bent_net(leaf)[0])
            more = (plain - rows[-1][1], bent - rows[-1][3]) if rows else ("", "")
            rows.append((volume, plain, more[0], bent, more[1]))
        return rows

    @property
    def even(self) -> bool:
        """Whether the net with activation, too, grows by the same at every step."""
        steps = [row[4] for row in self.growing[1:]]
        return max(steps) - min(steps) < 0.01

    @cached_property
    def leaf_with_bias(self) -> Trace:
        """The leaf, where the first neuron has a bias."""
        biases = ((self.bias, 0, 0), (0, 0))
        return Feedforward.of(self.hidden, self.output, biases=biases, labels=self.labels).trace(self.leaf_numbers)
