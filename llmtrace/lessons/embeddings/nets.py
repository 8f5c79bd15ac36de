"""The two small nets of the lesson on embeddings: one reads letters, one reads words, as vectors that are trained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.embeddings.words import LEGEND
from llmtrace.ops import Tensor, Weight, by_name
from llmtrace.ops.attention.heads import merge_heads
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.elementwise.sqrt import sqrt
from llmtrace.ops.elementwise.subtract import subtract
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.losses.cross_entropy import cross_entropy
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.squared_norm import squared_norm
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.rng import derive, normal
from llmtrace.trace import Run, Trace
from llmtrace.training import Part

TABLE = "embedding"
"""The name of the table of vectors: a row for each letter or word."""


def random_weight(seed: int, name: str, shape: tuple[int, ...], std: float, axes: tuple[str, ...]) -> Weight:
    """A weight whose numbers are normally distributed about 0."""
    return Weight(name, (normal(derive(seed, name), shape) * std).astype(np.float32), axes)


def layer(seed: int, name: str, outputs: int, inputs: int, std: float) -> tuple[Weight, Weight]:
    """The weights of one layer, and its biases, which are 0."""
    axis = "output" if name == "output" else "neuron"
    weight = random_weight(seed, f"{name}.weight", (outputs, inputs), std, (axis, "input"))
    return weight, Weight(f"{name}.bias", np.zeros(outputs, np.float32), (axis,))


def letter_weights(seed: int, letters: int, numbers: int, context: int, neurons: int) -> dict[str, Weight]:
    """Random weights of a net that reads `context` letters, each a vector of so many `numbers`, and predicts the next."""
    table = random_weight(seed, TABLE, (letters, numbers), 0.5, ("entry", "feature"))
    hidden = layer(seed, "hidden.1", neurons, context * numbers, 0.1)
    output = layer(seed, "output", letters, neurons, 0.2)
    return by_name([table, *hidden, *output])


def word_weights(seed: int, words: int) -> dict[str, Weight]:
    """Random weights of a net that reads one word as a vector of two numbers, and predicts the next."""
    table = random_weight(seed, TABLE, (words, 2), 0.7, ("entry", "feature"))
    return by_name([table, *layer(seed, "output", words, 2, 0.7)])


def read_letters(run: Run, ids: Array) -> Tensor:
    """Letters [place, example] → scores of the next letter [example, letter]."""
    vectors = looked_up(run, "letters", ids, ("place", "example"))
    beside = run("letters.beside", merge_heads, vectors)
    hidden = run("hidden.1.act", tanh, run("hidden.1.sum", linear, beside, weights="hidden.1", transposed=True))
    return run("output.sum", linear, hidden, weights="output", transposed=True)


def read_words(run: Run, ids: Array) -> Tensor:
    """Words [example] → scores of the next word [example, word]."""
    vectors = looked_up(run, "words", ids, ("example",))
    return run("output.sum", linear, vectors, weights="output", transposed=True)


def looked_up(run: Run, kind: str, ids: Array, axes: tuple[str, ...]) -> Tensor:
    """The vectors of ids, out of the table."""
    return run.do(f"{kind}.embed", embedding, (run.leaf(f"{kind}.ids", ids, axes), run.weights[TABLE]), {})


def loss(run: Run, scores: Tensor, targets: Array, summed: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The mean loss of some targets, and the sum of their losses and of those `summed` before."""
    losses = run("guess.losses", cross_entropy, scores, run.leaf("guess.targets", targets, ("example",)))
    summed = run("guess.total", sum_all, losses, *([] if summed is None else [summed]))
    return run("guess.loss", scale, summed, factor=1 / len(targets)), summed


def shares(run: Run, scores: Tensor) -> Tensor:
    """The probability of each letter or word as the next one."""
    return run("guess.shares", softmax, scores)


def part(kind: str, ids: Array, targets: Array) -> Part:
    """A batch for the trainer: ids of letters or words, and the ids that follow."""
    return partial(_part, kind, ids, targets)


def _part(kind: str, ids: Array, targets: Array, run: Run, summed: Tensor | None) -> tuple[Tensor, Tensor]:
    read = {"letters": read_letters, "words": read_words}[kind]
    return loss(run, read(run, ids), targets, summed)


def letter_scores(weights: Mapping[str, Weight], ids: Array) -> Array:
    """The scores of all letters as the next one after some letters, given as ids."""
    with Run(weights, results=frozenset({"output.sum"})) as run:
        return read_letters(run, ids[:, None]).data[0]


def distance(first: Array, second: Array) -> Trace:
    """The distance of two points, step by step."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        a, b = (run.leaf(name, np.array(v, np.float32), ("number",)) for name, v in (("a", first), ("b", second)))
        squares = run("distance.squares", squared_norm, run("distance.difference", subtract, a, b))
        run("distance", sqrt, squares)
    return trace
