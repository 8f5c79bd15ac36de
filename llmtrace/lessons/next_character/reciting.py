"""Nets that read the last letters of a text and write the next one, and how they learn a text by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.nets import plain_settings, random_net
from llmtrace.lessons.next_character.words import LEGEND
from llmtrace.models import Feedforward
from llmtrace.ops import Tensor
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.losses.cross_entropy import cross_entropy
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Backward, Run, Trace
from llmtrace.training import Trainer

SIGNS = " abcdefghijklmnopqrstuvwxyz."
"""What a net can read and write; the number of each is its place."""
RHYME = (
    "humpty dumpty sat on a wall humpty dumpty had a great fall"
    " all the kings horses and all the kings men couldnt put humpty together again."
)
FIRST = (0.05, 0.1)
"""How far the first weights of each layer spread about 0."""
RATE = 0.01
WRITTEN = 24
"""So many letters are written to see how far a training is."""


def known(text: str) -> str:
    """A text as a net can read it: small letters, spaces, full stops; all else is left out."""
    return "".join(sign for sign in text.lower() if sign in SIGNS)


def visible(text: str) -> str:
    """With a mark for each space."""
    return text.replace(" ", "_")


def numbers(text: str) -> Array:
    """The letters of a text as numbers."""
    return np.array([SIGNS.index(sign) for sign in text], np.float32)


def window(text: str, reads: int) -> str:
    """The last letters of a text; spaces stand where there are none."""
    return text.rjust(reads)[-reads:]


def places(text: str, reads: int) -> list[str]:
    """What is read before every letter of a text."""
    return [window(text[:n], reads) for n in range(len(text))]


def asked(text: str, reads: int) -> list[tuple[str, str]]:
    """What is read before every letter of a text, and this letter."""
    return list(zip(places(text, reads), text, strict=True))


def followers(text: str, reads: int) -> dict[str, str]:
    """What is read, where different letters follow it in the text, with these letters."""
    found: dict[str, str] = {}
    for seen, sign in asked(text, reads):
        found[seen] = found.get(seen, "") + sign
    return {seen: after for seen, after in found.items() if len(set(after)) > 1}


def enough(text: str, reads: int) -> int:
    """How many letters must be read, at least `reads`, so that only one can follow."""
    while followers(text, reads):
        reads += 1
    return reads


def write(scores: Callable[[str], Array], text: str, reads: int, count: int) -> str:
    """The loop: read, take the letter with the highest score, append it; until the full stop, or so many letters."""
    for _n in range(count):
        text += SIGNS[int(scores(window(text, reads)).argmax())]
        if text[-1] == ".":
            break
    return text


@dataclass(frozen=True)
class Reader:
    """A net, and how many letters it reads."""

    net: Feedforward
    reads: int

    def write(self, text: str, count: int) -> str:
        """What it makes of a text: up to the full stop, or so many letters."""
        return write(lambda seen: self.net(numbers(seen)), text, self.reads, count)

    def trace(self, text: str, wanted: str, gradients: bool = False) -> Trace:
        """It reads the end of a text: scores, shares, and the loss if this letter is wanted."""
        seen, trace = window(text, self.reads), Trace(self.net.weights, legend=LEGEND)
        trace.labels = {"input": list(visible(seen)), "output": list(visible(SIGNS))}
        with Run(self.net.weights, trace) as run:
            scores = self.net.forward(run, run.leaf("input", numbers(seen), ("input",)))
            run("guess.shares", softmax, scores)
            run("loss", cross_entropy, scores, run.leaf("wanted", np.array(SIGNS.index(wanted)), ()))
            if gradients:
                Backward(run, trace)
        return trace


def untaught(reads: int, neurons: int, seed: int) -> Reader:
    """With random weights: it has read nothing yet."""
    return Reader(random_net(seed, "first", (reads, neurons, len(SIGNS)), FIRST, "relu"), reads)


@dataclass(frozen=True)
class Look:
    """How far a training is."""

    step: int
    loss: float
    right: int
    """How many letters of the text it guesses."""
    reader: Reader


def turns(reader: Reader, text: str, count: int) -> list[tuple[str, str]]:
    """So many turns of the loop: what is read, and what is written."""
    texts = [reader.write(text, n) for n in range(count + 1)]
    return [(visible(window(a, reader.reads)), visible(b[len(a) :])) for a, b in pairwise(texts) if len(b) > len(a)]


def course(looks: Sequence[Look], begin: str) -> list[tuple[int, float, int, str]]:
    """Some steps of a training: the loss, how many letters are guessed right, and how the net goes on from a beginning."""
    written = [look.reader.write(begin, WRITTEN)[len(begin) :] for look in looks]
    return [(look.step, look.loss, look.right, visible(new)) for look, new in zip(looks, written, strict=True)]


def teach(
    reader: Reader, text: str, steps: int, stops: Sequence[int], counted: Callable[[int], Iterator[int]]
) -> list[Look]:
    """Trains a net on every letter of a text, and looks at it before, at these steps, and at the end."""
    inputs = np.array([numbers(place) for place in places(text, reader.reads)])
    targets = numbers(text).astype(np.int64)
    trainer = Trainer(reader.net.weights, plain_settings(RATE, "adam", schedule="cosine", steps=steps))

    def part(run: Run, summed: Tensor | None) -> tuple[Tensor, Tensor]:
        scores = reader.net.forward(run, run.leaf("input", inputs, ("example", "input")))
        losses = run("losses", cross_entropy, scores, run.leaf("wanted", targets, ("example",)))
        added = run("loss.sum", sum_all, losses, *([] if summed is None else [summed]))
        return run("loss", divide_by, added, divisor=len(targets)), added

    def look(step: int) -> Look:
        now = Reader(Feedforward(trainer.state.weights, "relu"), reader.reads)
        right = int((now.net(inputs).argmax(axis=-1) == targets).sum())
        return Look(step, trainer.evaluate([part]), right, now)

    looks = [look(0)]
    for step in counted(steps):
        trainer.step([part])
        if step + 1 in stops or step + 1 == steps:
            looks.append(look(step + 1))
    return looks
