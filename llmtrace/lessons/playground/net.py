"""The net of the playground: its choices, its training step by step, and its evaluation."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError, TrainingError
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.lessons.framework.lesson import input_text
from llmtrace.lessons.nets import Descent
from llmtrace.lessons.playground.data import FEATURES, REGRESSION, SETS, Points, grid, points, table
from llmtrace.lessons.playground.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.rng import derive, uniform
from llmtrace.trace import Run, Trace

ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "linear": "none"}
"""The activation functions of the hidden layers by the names of the playground."""
MOST_LAYERS, MOST_NEURONS = 6, 8
FIRST_BIAS = 0.1


@frozen
class Choices:
    """All that can be chosen. Raises LessonError where a choice can't be so."""

    data: str
    features: tuple[str, ...]
    hidden: tuple[int, ...]
    activation: str
    rate: float
    batch: int
    noise: int
    share: int
    l1: float
    l2: float
    seed: int

    def __post_init__(self) -> None:
        for key, known in (("data", SETS), ("activation", ACTIVATIONS)):
            if getattr(self, key) not in known:
                raise refusal(key, getattr(self, key), listed(known))
        if not self.features or len(set(self.features)) < len(self.features) or set(self.features) - set(FEATURES):
            raise refusal("features", ",".join(self.features), _("some of {names}", names=",".join(FEATURES)))
        if len(self.hidden) > MOST_LAYERS or not all(1 <= size <= MOST_NEURONS for size in self.hidden):
            text = _("none, or up to {layers} layers of 1 to {neurons} neurons, such as 4,2")
            raise refusal(
                "hidden", ",".join(map(str, self.hidden)), text.format(layers=MOST_LAYERS, neurons=MOST_NEURONS)
            )
        for key, low, high in (("batch", 1, 500), ("noise", 0, 50), ("share", 10, 90)):
            if not low <= getattr(self, key) <= high:
                text = _("a whole number from {low} to {high}")
                raise refusal(key, getattr(self, key), text.format(low=low, high=high))
        for key, least in (("rate", 1e-5), ("l1", 0), ("l2", 0)):
            if not least <= getattr(self, key) <= 10:
                text = _("a number from {low} to 10", low=f"{least:.5f}".rstrip("0").rstrip("."))
                raise refusal(key, getattr(self, key), text)

    @property
    def regression(self) -> bool:
        """Whether the target is a number, and not a class."""
        return self.data in REGRESSION

    def first(self) -> Feedforward:
        """The untrained net: weights from −0.5 to 0.5, biases 0.1."""
        sizes = (len(self.features), *self.hidden, 1)
        shapes = list(zip(sizes[1:], sizes, strict=False))
        matrices = [
            uniform(derive(self.seed, "weights", n), np.arange(rows * columns)).reshape(rows, columns) - 0.5
            for n, (rows, columns) in enumerate(shapes)
        ]
        biases = [np.full(size, FIRST_BIAS) for size in sizes[1:]]
        last = "none" if self.regression else "tanh"
        return Feedforward.of(*matrices, biases=biases, activation=ACTIVATIONS[self.activation], last=last)


def refusal(key: str, value: object, wanted: str) -> LessonError:
    """The error that refuses a choice."""
    shown = repr(value) if isinstance(value, str) else input_text(value)
    return LessonError(_("{key} can't be {value}: give {wanted}", key=key, value=shown, wanted=wanted))


def items_of(text: str) -> tuple[str, ...]:
    """The items of `x1, x2` or of `("x1", "x2")`."""
    return tuple(re.findall(r"[^\s,()\[\]'\"]+", text.replace("²", "^2")))


def layer_sizes(text: str) -> tuple[int, ...]:
    """The sizes of the hidden layers: of `4,2`; of `none` there are none."""
    parts = items_of(text)
    try:
        return () if parts in {(), ("none",), ("0",)} else tuple(map(int, parts))
    except ValueError:
        raise refusal("hidden", text, _("numbers with commas, such as 4,2, or none")) from None


@frozen
class Look:
    """The evaluation of the net after `step` steps; readers see its name where they print one."""

    step: int
    epoch: float
    train: float
    """The loss on the training set."""
    test: float
    """The loss on the test set."""
    right: float
    """The accuracy on the test set in per cent; NaN for regression."""


class Play:
    """A net that is trained step by step, and can be reset. It is evaluated before the first step and after every epoch."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.points = points(choices.data, choices.noise / 100, choices.seed)
        count = len(self.points) * choices.share // 100
        self.train_points, self.test_points = self.points.part(slice(0, count)), self.points.part(slice(count, None))
        self._train, self._test = (self.examples(part) for part in (self.train_points, self.test_points))
        self.batches = math.ceil(count / choices.batch)
        self.reset()

    def reset(self) -> None:
        """Goes back to the initial weights, which are always the same."""
        self.step = 0
        self._descent = self._descent_from(self.choices.first())
        self._before = self._descent.net
        self.stopped = ""
        self.evaluations = [self.evaluate()]

    def examples(self, where: Points) -> tuple[Array, Array]:
        """Points as inputs [point, feature] and targets [point, 1]."""
        return table(where, self.choices.features), where.wanted[:, None]

    def _descent_from(self, net: Feedforward) -> Descent:
        return Descent(net, self.choices.rate, l1=self.choices.l1, l2=self.choices.l2)

    @property
    def net(self) -> Feedforward:
        """The net as it is now."""
        return self._descent.net

    @property
    def epoch(self) -> float:
        """How many epochs were trained."""
        return self.step / self.batches

    def train(self, steps: int = 1) -> None:
        """Trains some steps, or fewer where the numbers overflow."""
        for _n in range(steps):
            if self.stopped:
                break
            self._train_once()

    def _train_once(self) -> None:
        before = self._descent.net
        try:
            self._descent.step(*self._batch(self.step))
        except TrainingError:
            self.stopped = _(
                "Stopped in step {step}: the numbers exploded. Take a learning rate below {rate}.",
                step=self.step + 1,
                rate=f"{self.choices.rate:g}",
            )
            return
        self._before = before
        self.step += 1
        if self.step % self.batches == 0:
            self.evaluations.append(self.evaluate())

    def _batch(self, step: int) -> tuple[Array, Array]:
        start = step % self.batches * self.choices.batch
        inputs, wanted = self._train
        return inputs[start : start + self.choices.batch], wanted[start : start + self.choices.batch]

    def evaluate(self) -> Look:
        """How well the net does now."""
        (inputs, wanted), right = self._test, math.nan
        if not self.choices.regression:
            right = 100 * float(np.mean((self.net(inputs) > 0) == (wanted > 0)))
        return Look(self.step, self.epoch, self._descent.loss(*self._train), self._descent.loss(inputs, wanted), right)

    # ---- traces --------------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of the inputs."""
        return {"input": self.choices.features}

    def last_step(self) -> Trace:
        """The last training step again, recorded, with the same bits; before any step, the first one."""
        return self._descent_from(self._before).traced(*self._batch(max(0, self.step - 1)), self.labels)

    def most_moved(self, step: Trace) -> str:
        """The address of the weight that a recorded step changed most: `new.hidden.1.weight[neuron=0, input=1]`."""
        moves = {
            weight.name: np.abs(step.tensor(f"new.{weight.name}") - weight.data)
            for weight in step.weights.values()
            if weight.data.ndim > 1
        }
        name = max(moves, key=lambda each: float(moves[each].max()))
        place = np.unravel_index(int(moves[name].argmax()), moves[name].shape)
        axes = step.weights[name].axes
        return f"new.{name}[{', '.join(f'{axis}={index}' for axis, index in zip(axes, place, strict=True))}]"

    def activations(self, where: Points) -> Trace:
        """The net on some points, with the activations of every neuron."""
        net = self.net
        trace = Trace(net.weights, legend=LEGEND)
        trace.labels = dict(self.labels)
        with Run(net.weights, trace) as run:
            net.forward(run, run.leaf("input", self.examples(where)[0], ("example", "input")))
        return trace

    def surfaces(self, rows: int) -> dict[str, Array]:
        """The outputs of every neuron on a grid of the plane, by layer: [neuron, rows, 2 · rows]; the last is the output."""
        trace = self.activations(grid(rows))
        return {layer: neurons_of(trace, layer, rows) for layer in self.net.layers}


def neurons_of(trace: Trace, layer: str, rows: int) -> Array:
    """The outputs of the neurons of a layer as pictures."""
    name = f"{layer}.act" if f"{layer}.act" in trace else f"{layer}.sum"
    return np.asarray(trace.tensor(name).T.reshape(-1, rows, 2 * rows))
