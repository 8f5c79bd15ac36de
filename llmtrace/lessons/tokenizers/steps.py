"""The computations of the lesson on tokenizers: counts of pairs, code points from bytes, scores of segmentations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.tokenizers.words import LEGEND
from llmtrace.ops.elementwise.log import log
from llmtrace.ops.elementwise.subtract import subtract
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.tokenizers import LearnedMerge, Parting, Piece
from llmtrace.tokenizers.byte_symbols import SPACE as WRITTEN
from llmtrace.tokenizers.byte_symbols import bytes_of, symbols_of, visible
from llmtrace.tokenizers.partings import best_partings
from llmtrace.tokenizers.training.counting import merge_pair
from llmtrace.tokenizers.training.unigram import logarithms
from llmtrace.trace import Run, Trace
from llmtrace.views.figures import SPACE

Pieces = Mapping[str, int]
"""How often each word, with the space before it, occurs in a text."""
BASE = 64
"""The values of the payload bits of a continuation byte in UTF-8."""


def shown(text: str) -> str:
    """A text with a mark for each space."""
    return text.replace(" ", SPACE).replace(WRITTEN, SPACE)


def shown_symbol(symbol: str) -> str:
    """A symbol of bytes as text."""
    return shown(visible(bytes_of(symbol)))


# ---- merges ------------------------------------------------------------------------------------------------------------


def pairs(pieces: Pieces) -> Counter[tuple[str, str]]:
    """How often each pair of neighbouring symbols occurs before any merge."""
    counts: Counter[tuple[str, str]] = Counter()
    for piece, times in pieces.items():
        for pair in pairwise(symbols_of(piece.encode())):
            counts[pair] += times
    return counts


def pair_trace(pieces: Pieces, pair: tuple[str, str]) -> Trace:
    """The count of one pair: over all words that have it, how often the word occurs times how often the pair is in it."""
    inside = {piece: list(pairwise(symbols_of(piece.encode()))).count(pair) for piece in pieces}
    words = [piece for piece, times in inside.items() if times]
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"input": [shown(word) for word in words], "output": ["".join(map(shown_symbol, pair))]}
    with Run({}, trace) as run:
        times = run.leaf("words", np.array([pieces[word] for word in words], np.float32), ("input",))
        has = run.leaf("inside", np.array([[inside[word] for word in words]], np.float32), ("output", "input"))
        run.do("pair.count", linear, (times, has, None), {"transposed": True}, ("output",))
    return trace


def pair_rows(pieces: Pieces, first: LearnedMerge) -> list[tuple[Any, ...]]:
    """The pairs that occur most often before any merge; first comes the one that is merged first."""
    counts = pairs(pieces)
    ordered = sorted(counts, key=lambda pair: (pair != (first.left, first.right), -counts[pair]))
    return [(*map(shown_symbol, pair), counts[pair]) for pair in ordered[:6]]


def merge_rows(merges: Sequence[LearnedMerge], sizes: Sequence[int]) -> list[tuple[Any, ...]]:
    """Merges: pair, result, count, and how many tokens the text has afterwards."""
    return [
        (merge.rank + 1, *map(shown_symbol, (merge.left, merge.right, merge.left + merge.right)), merge.count, size)
        for merge, size in zip(merges, sizes, strict=True)
    ]


def word_rows(piece: Piece) -> list[tuple[Any, ...]]:
    """The merges of a word, each with the tokens after it."""
    numbers = ["", *(str(merge.rank + 1) for merge in piece.merges)]
    states = [piece.symbols, *piece.states()]
    return [(n, " | ".join(map(shown_symbol, state))) for n, state in zip(numbers, states, strict=True)]


def lengths(pieces: Pieces, merges: Sequence[LearnedMerge]) -> list[int]:
    """How many tokens the whole text has, before and after each merge."""
    words = [(list(symbols_of(piece.encode())), times) for piece, times in pieces.items()]
    sizes = [sum(len(symbols) * times for symbols, times in words)]
    for merge in merges:
        words = [(merge_pair(symbols, (merge.left, merge.right)), times) for symbols, times in words]
        sizes.append(sum(len(symbols) * times for symbols, times in words))
    return sizes


# ---- bytes -------------------------------------------------------------------------------------------------------------


def character_trace(character: str) -> Trace:
    """The code point of a character, from its bytes in UTF-8 (RFC 3629) without their prefix bits, as digits to BASE."""
    data = character.encode()
    marks = [{1: 0, 2: 192, 3: 224, 4: 240}[len(data)]] + [128] * (len(data) - 1)
    steps = [[BASE ** (len(data) - 1 - n) for n in range(len(data))]]
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"output": [character]}
    with Run({}, trace) as run:
        own, mark = (
            run.leaf(name, np.array(values, np.float32), ("byte",))
            for name, values in (("bytes", list(data)), ("marks", marks))
        )
        rest = run("character.rest", subtract, own, mark)
        places = run.leaf("steps", np.array(steps, np.float32), ("output", "byte"))
        run.do("character.number", linear, (rest, places, None), {"transposed": True}, ("output",))
    return trace


def byte_rows(trace: Trace) -> list[tuple[Any, ...]]:
    """Each byte of a character's trace: its value, its prefix bits, and the rest."""
    columns = (trace.tensor(name).astype(int).tolist() for name in ("bytes", "marks", "character.rest"))
    return list(zip(*columns, strict=True))


# ---- partings ----------------------------------------------------------------------------------------------------------


def score_trace(parting: Parting, probabilities: Mapping[str, float]) -> Trace:
    """The score of one segmentation: the sum of the logarithms of its probabilities, in float64 as in the tokenizer."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"piece": [shown(part) for part in parting.parts]}
    with Run({}, trace) as run:
        values = np.array([probabilities[part] for part in parting.parts])
        run("parting.score", sum_all, run("parting.logs", log, run.leaf("probabilities", values, ("piece",))))
    return trace


def every_parting(word: str, probabilities: Mapping[str, float]) -> list[Parting]:
    """All segmentations of a word into pieces that have a probability, as all its characters have; the best first."""
    scores = logarithms(probabilities)
    return best_partings(word, scores, max(map(len, scores)), min(scores.values()), count=2 ** (len(word) - 1))


def expected_trace(partings: Sequence[Parting], probabilities: Mapping[str, float]) -> Trace:
    """The expected count of each piece in a word: its counts in the segmentations, weighted with their probabilities."""
    used = sorted({part for parting in partings for part in parting.parts}, key=lambda part: (len(part), part))
    uses: Array = np.array([[parting.parts.count(piece) for piece in used] for parting in partings], np.float64)
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"piece": list(map(shown, used)), "parting": [" | ".join(map(shown, p.parts)) for p in partings]}
    with Run({}, trace) as run:
        given = run.leaf("probabilities", np.array([probabilities[piece] for piece in used]), ("piece",))
        table = run.leaf("uses", uses, ("parting", "piece"))
        logs = run("expected.logs", log, given)
        scores = run.do("expected.scores", linear, (logs, table, None), {"transposed": True}, ("parting",))
        shares = run("expected.shares", softmax, scores)
        run.do("expected.counts", linear, (shares, table, None), {}, ("piece",))
    return trace
