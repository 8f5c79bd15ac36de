"""A small net that puts swapped characters back in their order: one attention over the characters and their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.attention_nets import attend, random_attention, random_rows
from llmtrace.lessons.nets import plain_settings
from llmtrace.lessons.self_attention.words import LEGEND
from llmtrace.ops import Tensor, Weight, by_name
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.losses.cross_entropy import cross_entropy
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.rng import Chance, derive
from llmtrace.trace import Run, Trace
from llmtrace.training import Part, Trainer

RIGHT = "汉字的顺序并不一定影响阅读"
SHUFFLED = "汉字的序顺并不定一影阅响读"
PARTS = (
    ("汉字", "文章", "词语", "句子"),
    ("的",),
    ("顺序", "大小", "颜色", "长短"),
    ("并不一定", "也许不会", "从来没有", "根本不能"),
    ("影响", "改变", "妨碍", "帮助"),
    ("阅读", "理解", "学习", "记忆"),
)
"""What the sentences are made of."""
BATCH = 8
WIDTH = 32
LETTERS = sorted({letter for options in PARTS for word in options for letter in word})


def ids_of(text: str) -> Array:
    """The characters as numbers."""
    return np.array([LETTERS.index(letter) for letter in text])


def text_of(ids: Array) -> str:
    """Numbers as characters."""
    return "".join(LETTERS[n] for n in ids.tolist())


def sentences(seed: int) -> tuple[list[str], list[str]]:
    """All sentences: those to learn from, and a tenth that is held out, `RIGHT` among them."""
    chance = Chance(derive(seed, "held out"))
    learned, held = list[str](), [RIGHT]
    for parts in product(*PARTS):
        if (text := "".join(parts)) != RIGHT:
            (held if chance.below(10) == 0 else learned).append(text)
    return learned, held


def shuffled(text: str, chance: Chance) -> str:
    """The text with some neighbours swapped."""
    letters, place = list(text), 0
    while place < len(letters) - 1:
        if chance.below(3) == 0:
            letters[place : place + 2] = reversed(letters[place : place + 2])
            place += 1
        place += 1
    return "".join(letters)


def untrained(seed: int) -> dict[str, Weight]:
    """The weights: vectors of characters and places, three matrices, and a row for each character that may come out."""
    own = derive(seed, "order")
    table = Weight("letters", random_rows(own, "letters", len(LETTERS), WIDTH, std=0.5), ("entry", "feature"))
    places = Weight("places", random_rows(own, "places", len(RIGHT), WIDTH, std=0.5), ("entry", "feature"))
    output = Weight("output.weight", random_rows(own, "output", len(LETTERS), WIDTH, std=0.2), ("output", "input"))
    return random_attention(own, WIDTH, WIDTH, WIDTH, std=0.2) | by_name([table, places, output])


def read(run: Run, ids: Array) -> Tensor:
    """Characters [T] → scores of the right character at each place [T, character]."""
    leaf, places = run.leaf("ids", ids, ("word",)), run.leaf("place", np.arange(len(ids)), ("word",))
    letters = run.do("letter", embedding, (leaf, run.weights["letters"]), {}, ("word", "feature"))
    known = run.do("known", embedding, (places, run.weights["places"]), {}, ("word", "feature"))
    x = run("x", add, letters, known)
    return run("output", linear, run("gathered", add, x, attend(run, x)), transposed=True)


def _part(ids: Array, right: Array, run: Run, summed: Tensor | None) -> tuple[Tensor, Tensor]:
    """The loss of one sentence."""
    losses = run("guess.losses", cross_entropy, read(run, ids), run.leaf("guess.targets", right, ("example",)))
    summed = run("guess.total", sum_all, losses, *([] if summed is None else [summed]))
    return run("guess.loss", scale, summed, factor=1 / (BATCH * len(ids))), summed


def trained(seed: int, steps: Iterator[int], count: int) -> Mapping[str, Weight]:
    """The weights after so many steps on shuffled sentences."""
    chance = Chance(derive(seed, "shuffled"))
    learned, _held = sentences(seed)
    trainer = Trainer(untrained(seed), plain_settings(0.01, "adam", schedule="cosine", steps=count))
    for _step in steps:
        texts = [chance.choice(learned) for _n in range(BATCH)]
        parts: list[Part] = [partial(_part, ids_of(shuffled(text, chance)), ids_of(text)) for text in texts]
        trainer.step(parts)
    return trainer.state.weights


def mended(weights: Mapping[str, Weight], text: str) -> Trace:
    """The net at a text, recorded."""
    trace = Trace(weights, legend=LEGEND)
    letters = tuple(text)
    trace.labels = {"word": letters, "asking": letters, "asked": letters, "output": LETTERS, "entry": LETTERS}
    with Run(weights, trace) as run:
        read(run, ids_of(text))
    return trace


def put_right(weights: Mapping[str, Weight], text: str) -> str:
    """The text as the net mends it."""
    with Run(weights, results=frozenset({"output"})) as run:
        return text_of(read(run, ids_of(text)).data.argmax(axis=1))


def held_out_right(seed: int, weights: Mapping[str, Weight]) -> tuple[int, int]:
    """How many held-out sentences are mended without a mistake, and of how many."""
    chance = Chance(derive(seed, "exam"))
    _learned, held = sentences(seed)
    return sum(put_right(weights, shuffled(text, chance)) == text for text in held), len(held)
