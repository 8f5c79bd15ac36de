"""Texts measured in bits: by a general compressor, by a net that has learned sentences, and by the bundled model."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.embeddings import nets, sentences
from llmtrace.lessons.training_is_compression.words import LEGEND
from llmtrace.models import LanguageModel
from llmtrace.ops import Weight
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.log import log
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.scale import scale
from llmtrace.rng import Chance, uniform
from llmtrace.trace import Run, Trace

WORDS = 3
"""How many words a sentence has."""
KINDS = sum(math.prod(map(len, kind)) for kind in sentences.SENTENCES)
"""How many different sentences there are, all equally likely."""


def price(cards: float, days: float, hours: float, dollars: float) -> Trace:
    """What an hour of one graphics card costs."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        given = [
            run.leaf(name, np.array([number], np.float32), ("place",))
            for name, number in (("cards", cards), ("days", days), ("dollars", dollars))
        ]
        all_hours = run("price.hours", scale, run("price.days", multiply, *given[:2]), factor=hours)
        run("price.hour", divide, given[2], all_hours)
    return trace


def bits(probabilities: Sequence[float]) -> Trace:
    """How many bits something of each probability costs: −log₂ p."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        logs = run("bits.logs", log, run.leaf("p", np.array(probabilities, np.float32), ("place",)))
        run("bits", divide_by, run("bits.turned", scale, logs, factor=-1.0), divisor=math.log(2))
    return trace


def written(text: Array) -> bytes:
    """Sentences as ids of words in plain English, one in a line."""
    words = [sentences.WORDS[n] for n in text.tolist()]
    lines = (" ".join(words[n : n + WORDS]) for n in range(0, len(words), WORDS))
    return "".join(f"{line}\n" for line in lines).encode()


def packed(data: bytes) -> int:
    """How many bytes a general compressor makes of it: DEFLATE at its best, as in gzip."""
    return len(zlib.compress(data, 9))


def bits_per_sentence(weights: Mapping[str, Weight], text: Array) -> float:
    """How many bits a sentence costs, on average, with the net's probabilities."""
    trace = reading(weights, text)
    return float(trace.tensor("guess.loss")) / math.log(2) * WORDS


def reading(weights: Mapping[str, Weight], text: Array) -> Trace:
    """The net at some words, with the loss of each that follows."""
    trace = Trace(weights, legend=LEGEND)
    trace.labels = {"entry": sentences.words(), "output": sentences.words()}
    with Run(weights, trace) as run:
        nets.part("words", text[:-1], text[1:])(run, None)
    return trace


def dreamt(weights: Mapping[str, Weight], first: int, count: int, seed: int) -> list[int]:
    """Words that the net writes from one word on, each drawn by its probability."""
    table, matrix, bias = (
        weights[name].data.astype(np.float64) for name in (nets.TABLE, "output.weight", "output.bias")
    )
    words = [first]
    for n in range(count - 1):
        powers = np.exp(matrix @ table[words[-1]] + bias)
        totals = np.cumsum(powers / powers.sum())
        words.append(int(np.searchsorted(totals, uniform(seed, n), side="right").clip(0, len(bias) - 1)))
    return words


def model_bits(model: LanguageModel, text: str) -> tuple[float, list[float]]:
    """How many bits a text costs with a model's probabilities, and each token of it but the first, which any could be."""
    ids = model.ids(text)
    shares = model.trace(text)["probabilities"].output.astype(np.float64)
    each = [-math.log2(max(float(shares[n, ids[n + 1]]), 1e-30)) for n in range(len(ids) - 1)]
    return math.log2(model.config.vocabulary) + sum(each), each


def scrambled(count: int, seed: int) -> str:
    """Letters at random."""
    chance = Chance(seed)
    return "".join(chr(97 + chance.below(26)) for _n in range(count))
