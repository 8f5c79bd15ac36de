"""Codes of places: sines and cosines, and what attention makes of words with places and without."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array
from llmtrace.lessons.attention_nets import attend, random_attention, random_rows
from llmtrace.lessons.positions.words import LEGEND
from llmtrace.models.sinusoids import BASE, angle, sinusoids
from llmtrace.ops.attention.attention_products import attention_products
from llmtrace.ops.attention.rotate import rotate
from llmtrace.ops.elementwise.add import add
from llmtrace.trace import Run, Trace

__all__ = ["BASE", "angle", "angles", "read", "sinusoids", "turned", "wavelength"]

WIDTH = 8
"""How many numbers a character has."""


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


def angles(place: int, theta: float) -> tuple[Array, Array]:
    """The cosine and the sine of as far as a place turns, [1, 1]."""
    whole = np.array([[place * theta]], np.float32)
    return elementary.cos(whole), elementary.sin(whole)


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
                side = run.leaf(name, np.array([[numbers]], np.float32), ("head", axis, "feature"))
                cosine, sine = angles(place, theta)
                cos = run.leaf(f"cosine.{name}", cosine, (axis, "pair"))
                sin = run.leaf(f"sine.{name}", sine, (axis, "pair"))
                sides.append(run(f"turned.{name}", rotate, side, cos, sin, interleaved=False))
            run.do("turned.product", attention_products, sides, {}, ("head", "query", "key"))
        trace.labels = {"query": (str(at),), "key": (str(other),)}
        traces.append(trace)
    return traces
