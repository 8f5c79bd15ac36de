"""The words of the lesson on embeddings: sentences made of them, their vectors as points, and the words of the bundled model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_, _
from llmtrace.lessons.embeddings.nets import TABLE, distance, part
from llmtrace.lessons.embeddings.words import LEGEND
from llmtrace.lessons.nets import plain_settings
from llmtrace.loading import load
from llmtrace.models import as_language_model
from llmtrace.ops import Weight
from llmtrace.rng import Chance
from llmtrace.trace import Trace
from llmtrace.training import Trainer
from llmtrace.views.figures import Scatter

WORDS = (
    N_("cat"),
    N_("dog"),
    N_("lion"),
    N_("king"),
    N_("queen"),
    N_("child"),
    N_("hunts"),
    N_("eats"),
    N_("reads"),
    N_("writes"),
    N_("mouse"),
    N_("bird"),
    N_("book"),
    N_("poem"),
)
SUBJECTS, VERBS = range(6), (6, 7, 8, 9)
SENTENCES = (((0, 1, 2), (6, 7), (10, 11)), ((3, 4, 5), (8, 9), (12, 13)))
"""Two kinds of sentences, each with its subjects, verbs and objects."""
ALIKE = ((0, 1, 2), (3, 4, 5), (6, 7), (8, 9), (10, 11, 12, 13))
"""Words after which the same words come."""
PAIRS = ((0, 2), (3, 4), (6, 7), (12, 13), (0, 3), (0, 12))
"""Words whose distances are compared: the first pairs are used alike."""
KNOWN = ("red", "three", "she")
"""Words whose neighbours in the bundled model are listed."""


def words() -> list[str]:
    """The vocabulary, in the language that is spoken."""
    return [_(word) for word in WORDS]


def random_sentences(seed: int, sentences: int) -> Array:
    """Random sentences as ids of words, one word after the other."""
    chance = Chance(seed)
    kinds = [chance.choice(SENTENCES) for _n in range(sentences)]
    return np.array([chance.choice(options) for kind in kinds for options in kind])


def verb_counts(text: Array) -> list[tuple[Any, ...]]:
    """How often each verb follows each subject."""
    pairs = Counter(zip(text[:-1].tolist(), text[1:].tolist(), strict=True))
    return [(words()[n], *(pairs[n, k] for k in VERBS)) for n in SUBJECTS]


def table_of(weights: Mapping[str, Weight]) -> Array:
    """The vectors of all words, [word, 2]."""
    return weights[TABLE].data


def word_plane(weights: Mapping[str, Weight]) -> Scatter:
    """The words as points."""
    points = table_of(weights).tolist()
    return Scatter({word: (x, y) for word, (x, y) in zip(words(), points, strict=True)}, 15)


def one_step(weights: Mapping[str, Weight], text: Array, rate: float) -> Trace:
    """One training step on some words, recorded."""
    trace = Trace(weights, legend=LEGEND)
    trace.labels = {"entry": words(), "output": words()}
    Trainer(weights, plain_settings(rate)).step([part("words", text[:-1], text[1:])], trace=trace)
    return trace


def word_distance(weights: Mapping[str, Weight], pair: tuple[int, int]) -> Trace:
    """The distance of two words, step by step."""
    first, second = pair
    return distance(table_of(weights)[first], table_of(weights)[second])


def cluster_ratio(weights: Mapping[str, Weight]) -> float:
    """The largest distance of two words that are used alike, divided by the smallest of two that are not."""
    points = table_of(weights).astype(np.float64)
    between = np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1))
    own = np.zeros(between.shape, bool)
    for group in ALIKE:
        own[np.ix_(group, group)] = True
    return float(between[own].max() / between[~own].min())


def distances(before: Mapping[str, Weight], after: Mapping[str, Weight]) -> list[tuple[Any, ...]]:
    """The distances of some pairs of words, before and after training."""
    names = words()
    return [
        (names[a], names[b], *(float(word_distance(weights, (a, b))["distance"].output) for weights in (before, after)))
        for a, b in PAIRS
    ]


def bundled() -> tuple[int, int, list[tuple[str, ...]]]:
    """The embedding table of the bundled model: its size, and for some tokens those with the largest cosine."""
    model = as_language_model(load())
    table = model.weights["embed.token.weight"].data.astype(np.float64)
    texts = [model.token_text(n).strip() for n in range(len(table))]
    table /= np.sqrt((table * table).sum(axis=1))[:, None]
    rows = []
    for word in KNOWN:
        place = max((n for n, text in enumerate(texts) if text == word), default=None)
        if place is not None:
            nearest = np.argsort(-(table * table[place]).sum(axis=1), kind="stable")[1:5]
            rows.append((word, *(texts[n] for n in nearest)))
    return *table.shape, rows
