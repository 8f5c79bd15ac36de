"""Codes of places: sines and cosines, and what attention makes of words with places and without."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llmtrace.lessons.attention_nets import attend, random_attention, random_rows
from llmtrace.lessons.positions.words import LEGEND
from llmtrace.models.sinusoids import BASE, angle, sinusoids
from llmtrace.ops.attention.attention_products import attention_products
from llmtrace.ops.attention.rotate import rotate
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.cos import cos
from llmtrace.ops.elementwise.sin import sin
from llmtrace.trace import Run, Trace

__all__ = ["BASE", "angle", "read", "sinusoids", "turned", "wavelength", "waves"]

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


def waves(places: int, width: int) -> Trace:
    """The angles of places, and the sines and cosines that their codes are made of, [places, width / 2] each."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        numbers = [[angle(place, feature, width) for feature in range(0, width, 2)] for place in range(places)]
        angles = run.leaf("angle", np.array(numbers, np.float32), ("position", "pair"))
        run("sine", sin, angles)
        run("cosine", cos, angles)
    return trace


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
                whole = run.leaf(f"angle.{name}", np.array([[place * theta]], np.float32), (axis, "pair"))
                cosine, sine = run(f"cosine.{name}", cos, whole), run(f"sine.{name}", sin, whole)
                sides.append(run(f"turned.{name}", rotate, side, cosine, sine, interleaved=False))
            run.do("turned.product", attention_products, sides, {}, ("head", "query", "key"))
        trace.labels = {"query": (str(at),), "key": (str(other),)}
        traces.append(trace)
    return traces
