"""Nets that read the last characters of a text and predict the next one, and how they learn a text by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from llmtrace.frozen import frozen
from llmtrace.lessons.nets import plain_settings, random_net
from llmtrace.lessons.next_character.characters import ALPHABET, contexts, generate, numbers, visible, window
from llmtrace.lessons.next_character.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops import Tensor
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.losses.cross_entropy import cross_entropy
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Backward, Run, Trace
from llmtrace.training import Trainer

STD = (0.05, 0.1)
"""The standard deviation of the initial weights of each layer."""
RATE = 0.01
PREVIEW = 24
"""How many characters are written at a checkpoint."""


@frozen
class Reader:
    """A net, and the length of the context that it reads."""

    net: Feedforward
    context: int

    def write(self, text: str, count: int) -> str:
        """A text continued greedily: up to the full stop, or by `count` characters."""
        return generate(lambda context: self.net(numbers(context)), text, self.context, count)

    def trace(self, text: str, wanted: str, gradients: bool = False) -> Trace:
        """The scores and probabilities after a text, the loss if the character `wanted` follows, and with it all gradients."""
        context, trace = window(text, self.context), Trace(self.net.weights, legend=LEGEND)
        trace.labels = {"input": list(visible(context)), "output": list(visible(ALPHABET))}
        with Run(self.net.weights, trace) as run:
            scores = self.net.forward(run, run.leaf("input", numbers(context), ("input",)))
            run("guess.shares", softmax, scores)
            run("loss", cross_entropy, scores, run.leaf("wanted", np.array(ALPHABET.index(wanted)), ()))
            if gradients:
                Backward(run, trace)
        return trace

    def loop(self, text: str, count: int) -> list[tuple[str, str]]:
        """The first `count` turns of the loop from a text on: the context that is read, and the character that is written."""
        texts = [self.write(text, n) for n in range(count + 1)]
        return [
            (visible(window(before, self.context)), visible(after[len(before) :]))
            for before, after in pairwise(texts)
            if len(after) > len(before)
        ]


def untrained(context: int, neurons: int, seed: int) -> Reader:
    """A reader with random weights and one hidden layer."""
    return Reader(random_net(seed, "first", (context, neurons, len(ALPHABET)), STD, "relu"), context)


@frozen
class Checkpoint:
    """The state of a training after `step` steps."""

    step: int
    loss: float
    right: int
    """How many characters of the text it predicts."""
    reader: Reader


def progress_table(checkpoints: Sequence[Checkpoint], prompt: str) -> list[tuple[int, float, int, str]]:
    """The step of each checkpoint, its loss, how many characters it predicts right, and how it continues a prompt."""
    new = [each.reader.write(prompt, PREVIEW)[len(prompt) :] for each in checkpoints]
    return [(each.step, each.loss, each.right, visible(text)) for each, text in zip(checkpoints, new, strict=True)]


def train(
    reader: Reader, text: str, steps: int, stops: Sequence[int], tracked: Callable[[int], Iterator[int]]
) -> list[Checkpoint]:
    """Trains a net on every character of a text; the checkpoints before, after the steps in `stops`, and at the end.

    tracked: the numbers of so many steps, while their progress is reported (see `Lesson.tracked`).
    """
    inputs = np.array([numbers(context) for context in contexts(text, reader.context)])
    targets = numbers(text).astype(np.int64)
    trainer = Trainer(reader.net.weights, plain_settings(RATE, "adam", schedule="cosine", steps=steps))

    def part(run: Run, summed: Tensor | None) -> tuple[Tensor, Tensor]:
        scores = reader.net.forward(run, run.leaf("input", inputs, ("example", "input")))
        losses = run("losses", cross_entropy, scores, run.leaf("wanted", targets, ("example",)))
        added = run("loss.sum", sum_all, losses, *([] if summed is None else [summed]))
        return run("loss", divide_by, added, divisor=len(targets)), added

    def checkpoint(step: int) -> Checkpoint:
        now = Reader(Feedforward(trainer.state.weights, "relu"), reader.context)
        right = int((now.net(inputs).argmax(axis=-1) == targets).sum())
        return Checkpoint(step, trainer.evaluate([part]), right, now)

    checkpoints = [checkpoint(0)]
    for step in tracked(steps):
        trainer.step([part])
        if step + 1 in stops or step + 1 == steps:
            checkpoints.append(checkpoint(step + 1))
    return checkpoints
