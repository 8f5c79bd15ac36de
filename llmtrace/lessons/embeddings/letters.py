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
from llmtrace.lessons.next_character.characters import ALPHABET, RHYME, contexts, generate, numbers, visible
from llmtrace.ops import Weight
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Backward, Run, Trace
from llmtrace.views.figures import Heatmap

COLUMNS = 8
NEURONS = 24
NAMES = list(visible(ALPHABET))
"""The labels of the letters, with a mark for the space."""


def ids(text: str) -> Array:
    """The ids of the letters of a text."""
    return numbers(text).astype(np.int64)


def vectors_as_columns(table: Array, text: str) -> Heatmap:
    """The vectors of the letters of a text, each a column; of many letters the first."""
    some = list(dict.fromkeys(text.replace(" ", "")))[:COLUMNS]
    return picture(table[ids("".join(some))].T, [str(n) for n in range(table.shape[1])], some)


def input_rows(table: Array, text: str) -> list[tuple[Any, ...]]:
    """Each letter of a text with some numbers of its vector, and the inputs of the net that they are."""
    width = table.shape[1]
    return [
        (n, visible(letter), *table[place][:2], "…", table[place][-1], f"{n * width}–{(n + 1) * width - 1}")
        for n, (letter, place) in enumerate(zip(text, ids(text), strict=True))
    ]


def one_hot_product(table: Array, letter: str) -> Trace:
    """The matrix times a one-hot vector: the column of a letter."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"entry": NAMES}
    with Run({}, trace) as run:
        hot = np.zeros(len(ALPHABET), np.float32)
        hot[ALPHABET.index(letter)] = 1
        given = run.leaf("one_hot", hot, ("entry",))
        matrix = run.leaf("matrix", np.ascontiguousarray(table.T), ("feature", "entry"))
        run.do("column.picked", linear, (given, matrix, None), {"transposed": True}, ("feature",))
    return trace


def traced(weights: Mapping[str, Weight], text: str, follows: str = "") -> Trace:
    """The net's probabilities after a text; with the letter that `follows`, also the loss and all gradients."""
    trace = Trace(weights, legend=LEGEND)
    trace.labels = {"entry": NAMES, "output": NAMES, "place": list(visible(text))}
    with Run(weights, trace) as run:
        scores = nets.read_letters(run, ids(text)[:, None])
        nets.shares(run, scores)
        if follows:
            nets.loss(run, scores, ids(follows))
            Backward(run, trace, "guess.loss").gradients()
    return trace


def untrained(seed: int, size: int, length: int) -> dict[str, Weight]:
    """Random weights of a net whose context has `length` letters, each a vector of `size` numbers."""
    return nets.letter_weights(seed, len(ALPHABET), size, length, NEURONS)


def trained_on_rhyme(
    weights: Mapping[str, Weight], length: int, rate: float, steps: Iterator[int]
) -> tuple[Mapping[str, Weight], list[float]]:
    """The net after `steps` on all of the rhyme, and its losses on the way."""
    windows = np.array([ids(context) for context in contexts(RHYME, length)])
    return trained(weights, nets.part("letters", np.ascontiguousarray(windows.T), ids(RHYME)), rate, steps)


def recite(weights: Mapping[str, Weight], length: int, text: str) -> str:
    """A text as the net continues it: up to the full stop, or by as many letters as the rhyme has."""
    return generate(lambda context: nets.letter_scores(weights, ids(context)), text, length, len(RHYME))
