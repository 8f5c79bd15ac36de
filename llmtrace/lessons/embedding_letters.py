"""The letters of the lesson on embeddings: the rhyme, and its letters' vectors as tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from llmtrace.lessons import embedding_nets as nets
from llmtrace.lessons.pages import picture
from llmtrace.ops import Weight, linear
from llmtrace.ops.op import Array
from llmtrace.render.heatmap import Heatmap
from llmtrace.trace import Backward, Run, Trace

RHYME = (
    "humpty dumpty sat on a wall humpty dumpty had a great fall all the king's horses and all the king's men couldn't put"
    " humpty together again "
)
LETTERS = sorted(set(RHYME))
"""Those of the rhyme, with the space and the apostrophe."""
COLUMNS = 8


def shown(letter: str) -> str:
    """A letter as it stands in a table: a space must be seen."""
    return "_" if letter == " " else letter


def ids(text: str) -> list[int]:
    """The letters of a text as their numbers."""
    return [LETTERS.index(letter) for letter in text]


def columns(table: Array, text: str) -> Heatmap:
    """The vectors of the letters of a text, each a column; of many letters the first."""
    some = list(dict.fromkeys(text.replace(" ", "")))[:COLUMNS]
    return picture(table[ids("".join(some))].T, [str(n) for n in range(table.shape[1])], some)


def laid_out(table: Array, text: str) -> list[tuple[Any, ...]]:
    """Each letter of a text with some numbers of its vector, and which inputs of the net they are."""
    width = table.shape[1]
    return [
        (n, shown(letter), *table[place][:2], "…", table[place][-1], f"{n * width}–{(n + 1) * width - 1}")
        for n, (letter, place) in enumerate(zip(text, ids(text), strict=True))
    ]


def doubtful(context: int) -> str:
    """The first letters in the rhyme, as many as the net sees, that come again and go on otherwise; "" where there are none."""
    for n in range(len(RHYME) - context):
        seen, follows = RHYME[n : n + context], RHYME[n + context]
        if any(RHYME.startswith(seen, k) and RHYME[k + context] != follows for k in range(n + 1, len(RHYME) - context)):
            return seen
    return ""


def picked(table: Array, letter: str) -> Trace:
    """The matrix times a one-hot vector: the column of a letter."""
    trace = Trace({})
    trace.labels = {"entry": [shown(each) for each in LETTERS]}
    with Run({}, trace) as run:
        hot = np.zeros(len(LETTERS), np.float32)
        hot[LETTERS.index(letter)] = 1
        given = run.given("one_hot", hot, ("entry",))
        matrix = run.given("matrix", np.ascontiguousarray(table.T), ("feature", "entry"))
        run.do("column.picked", linear, (given, matrix, None), {"transposed": True}, ("feature",))
    return trace


def traced(weights: Mapping[str, Weight], text: str, follows: str = "") -> Trace:
    """The net reads some letters; where it is said which letter follows, its loss and all gradients are computed, too."""
    trace = Trace(weights)
    names = [shown(letter) for letter in LETTERS]
    trace.labels = {"entry": names, "output": names, "place": [shown(letter) for letter in text]}
    with Run(weights, trace) as run:
        scores = nets.read_letters(run, np.array(ids(text))[:, None])
        nets.shares(run, scores)
        if follows:
            nets.loss(run, scores, np.array(ids(follows)))
            Backward(run, trace, "guess.loss").gradients()
    return trace
