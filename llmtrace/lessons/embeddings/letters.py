"""The letters of the lesson on embeddings: their vectors as tables and pictures, and a net that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.embeddings import nets
from llmtrace.lessons.embeddings.words import LEGEND
from llmtrace.lessons.framework.pages import picture
from llmtrace.lessons.nets import trained
from llmtrace.lessons.next_character.reciting import RHYME, SIGNS, numbers, places, visible, write
from llmtrace.ops import Weight
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Backward, Run, Trace
from llmtrace.views.figures import Heatmap

COLUMNS = 8
NEURONS = 24
NAMES = list(visible(SIGNS))
"""The letters as they stand in a table: a space must be seen."""


def ids(text: str) -> Array:
    """The letters of a text as their numbers."""
    return numbers(text).astype(np.int64)


def columns(table: Array, text: str) -> Heatmap:
    """The vectors of the letters of a text, each a column; of many letters the first."""
    some = list(dict.fromkeys(text.replace(" ", "")))[:COLUMNS]
    return picture(table[ids("".join(some))].T, [str(n) for n in range(table.shape[1])], some)


def laid_out(table: Array, text: str) -> list[tuple[Any, ...]]:
    """Each letter of a text with some numbers of its vector, and which inputs of the net they are."""
    width = table.shape[1]
    return [
        (n, visible(letter), *table[place][:2], "…", table[place][-1], f"{n * width}–{(n + 1) * width - 1}")
        for n, (letter, place) in enumerate(zip(text, ids(text), strict=True))
    ]


def picked(table: Array, letter: str) -> Trace:
    """The matrix times a one-hot vector: the column of a letter."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"entry": NAMES}
    with Run({}, trace) as run:
        hot = np.zeros(len(SIGNS), np.float32)
        hot[SIGNS.index(letter)] = 1
        given = run.leaf("one_hot", hot, ("entry",))
        matrix = run.leaf("matrix", np.ascontiguousarray(table.T), ("feature", "entry"))
        run.do("column.picked", linear, (given, matrix, None), {"transposed": True}, ("feature",))
    return trace


def traced(weights: Mapping[str, Weight], text: str, follows: str = "") -> Trace:
    """The net reads some letters; where it is said which letter follows, its loss and all gradients are computed, too."""
    trace = Trace(weights, legend=LEGEND)
    trace.labels = {"entry": NAMES, "output": NAMES, "place": list(visible(text))}
    with Run(weights, trace) as run:
        scores = nets.read_letters(run, ids(text)[:, None])
        nets.shares(run, scores)
        if follows:
            nets.loss(run, scores, ids(follows))
            Backward(run, trace, "guess.loss").gradients()
    return trace


def untaught(seed: int, vector: int, reads: int) -> dict[str, Weight]:
    """A net that reads so many letters, each as a vector of so many numbers, and knows nothing yet."""
    return nets.letter_weights(seed, len(SIGNS), vector, reads, NEURONS)


def taught(
    weights: Mapping[str, Weight], reads: int, rate: float, steps: Iterator[int]
) -> tuple[Mapping[str, Weight], list[float]]:
    """The net after it was asked for every letter of the rhyme in every step, and its loss on the way."""
    windows = np.array([ids(seen) for seen in places(RHYME, reads)])
    return trained(weights, nets.part("letters", np.ascontiguousarray(windows.T), ids(RHYME)), rate, steps)


def recited(weights: Mapping[str, Weight], reads: int, text: str) -> str:
    """What the net makes of a beginning: up to the full stop, or as many letters as the rhyme has."""
    return write(lambda seen: nets.letter_scores(weights, ids(seen)), text, reads, len(RHYME))
