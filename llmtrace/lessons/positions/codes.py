"""Codes of places: sines and cosines, and what attention makes of words with places and without."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array
from llmtrace.lessons.attention_nets import attend, random_attention, random_rows
from llmtrace.lessons.positions.words import LEGEND
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Run, Trace

BASE = 10000.0
WIDTH = 8
"""How many numbers a character has."""


def angle(place: int, feature: int, width: int) -> float:
    """What the sine or the cosine of a feature is taken of: a pair of features shares one wavelength."""
    return float(place / BASE ** (feature // 2 * 2 / width))


def sinusoids(places: int, width: int) -> Array:
    """The codes of the paper [places, width]: the sine for even features, the cosine for odd ones."""
    angles = np.array([[angle(p, i, width) for i in range(width)] for p in range(places)], np.float32)
    codes = np.empty_like(angles)
    codes[:, 0::2], codes[:, 1::2] = elementary.sin(angles[:, 0::2]), elementary.cos(angles[:, 1::2])
    return codes


def wavelength(curve: int, curves: int) -> float:
    """After how many places a curve repeats, where each has a wavelength of its own."""
    return 2 * math.pi * BASE ** (curve / curves)


def read(text: str, seed: int, *, placed: bool, masked: bool = False) -> Trace:
    """Attention of the characters of a text to each other, with the codes of their places or without."""
    letters = sorted(set(text))
    table = random_rows(seed, "letters", len(letters), WIDTH, 2)
    weights = random_attention(seed, WIDTH, WIDTH, WIDTH, 2, 0.5)
    trace = Trace(weights, legend=LEGEND)
    trace.labels = dict.fromkeys(("word", "asking", "asked"), tuple(text))
    with Run(weights, trace) as run:
        words = run.leaf("letter", table[[letters.index(letter) for letter in text]], ("word", "feature"))
        codes = sinusoids(len(text), WIDTH) if placed else np.zeros((len(text), WIDTH), np.float32)
        attend(run, run("x", add, words, run.leaf("place", codes, ("word", "feature"))), masked=masked)
    return trace


def rotation(theta: float) -> Array:
    """The matrix that turns a row of two numbers by an angle, counter-clockwise."""
    c, s = (np.float32(f(np.float32(theta))) for f in (elementary.cos, elementary.sin))
    return np.array([[c, s], [-s, c]], np.float32)


def turned(
    query: Sequence[float], key: Sequence[float], places: Sequence[tuple[int, int]], theta: float
) -> list[Trace]:
    """For pairs of places, the query and the key turned by their places, and their dot product."""
    traces = []
    for at, other in places:
        trace = Trace({}, legend=LEGEND)
        with Run({}, trace) as run:
            sides = []
            for name, axis, numbers, place in (("q", "query", query, at), ("k", "key", key, other)):
                side = run.leaf(name, np.array([numbers], np.float32), (axis, "feature"))
                turn = run.leaf(f"turn.{name}", rotation(theta * place), ("in", "out"))
                sides.append(run.do(f"turned.{name}", linear, (side, turn, None), {}, (axis, "feature")))
            run.do("turned.product", linear, (*sides, None), {"transposed": True}, ("query", "key"))
        trace.labels = {"query": (str(at),), "key": (str(other),)}
        traces.append(trace)
    return traces
