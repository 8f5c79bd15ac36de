"""Words that change places: what attention makes of it, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.attention_nets import attention, random_attention, random_rows
from llmtrace.rng import derive

NETS = 300
WIDTH = 4
ORDERS = ((1, 0, 2), (1, 0, 2, 3), (0, 2, 1, 3))
"""Orders in which the words stand after two have changed places; the last word stays and asks."""
MEANING = "你是什么意思？我没什么意思，就是意思意思。"
"""A sentence in which one word has several meanings."""


def swapped(seed: int) -> list[tuple[int, tuple[int, int], int, float]]:
    """For each order: how many words, which change places, in how many nets the last bits stay, the largest change."""
    same, most = dict.fromkeys(ORDERS, 0), dict.fromkeys(ORDERS, 0.0)
    for n in range(NETS):
        for order, before, after in _last(derive(seed, "swap", n)):
            same[order] += before.tobytes() == after.tobytes()
            most[order] = max(most[order], float(np.abs(before - after).max()))
    rows = []
    for order in ORDERS:
        first, second = (place + 1 for place, word in enumerate(order) if place != word)
        rows.append((len(order), (first, second), same[order], most[order]))
    return rows


def _last(seed: int) -> Iterator[tuple[tuple[int, ...], Array, Array]]:
    """What the last word gathers in one random net, before and after, for each order."""
    weights = random_attention(seed, WIDTH, WIDTH, WIDTH)
    for words, orders in groupby(ORDERS, len):
        vectors = random_rows(seed, "x", words, WIDTH)
        before = attention(weights, vectors)[-1]
        for order in orders:
            yield order, before, attention(weights, vectors[list(order)])[-1]


def meanings(seed: int, masked: bool) -> list[tuple[Any, ...]]:
    """The first two numbers of each 意 in the sentence after attention, by its place."""
    letters = sorted(set(MEANING))
    table = random_rows(seed, "letters", len(letters), WIDTH)
    vectors = table[[letters.index(letter) for letter in MEANING]]
    mixed = attention(random_attention(seed, WIDTH, WIDTH, WIDTH), vectors, masked)
    return [(place, *mixed[place, :2]) for place, letter in enumerate(MEANING) if letter == "意"]
