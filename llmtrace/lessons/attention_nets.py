"""The small attention that several lessons compute: queries, keys and values of a few words, with a mask or without."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.attention_words import ATTENTION
from llmtrace.ops import Tensor, Weight, by_name
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.attention.full_mix import full_mix, full_products
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.rows.softmax import softmax
from llmtrace.rng import derive, normal
from llmtrace.trace import Run, Trace
from llmtrace.trace.legend import Legend


def random_rows(seed: int, name: str, rows: int, columns: int, decimals: int | None = None, std: float = 1.0) -> Array:
    """Normally distributed numbers [rows, columns], rounded to so many decimals."""
    numbers = std * normal(derive(seed, name), (rows, columns))
    return (numbers if decimals is None else np.round(numbers, decimals)).astype(np.float32)


def random_attention(
    seed: int, width: int, keys: int, values: int, decimals: int | None = None, std: float = 1.0
) -> dict[str, Weight]:
    """Random matrices of a query, a key and a value: from vectors of `width` numbers to `keys`, `keys` and `values`."""
    sizes = {"q": keys, "k": keys, "v": values}
    return by_name(
        Weight(f"{name}.weight", random_rows(seed, name, size, width, decimals, std), ("feature", "input"))
        for name, size in sizes.items()
    )


def attend(run: Run, x: Tensor, others: Tensor | None = None, masked: bool = False) -> Tensor:
    """Attention of the vectors x [T, C] to `others` [S, C], or to each other; masked: no word looks at a later one."""
    q = run("q", linear, x, transposed=True)
    asked, suffix = (x, "") if others is None else (others, ".other")
    k, v = (run(f"{name}{suffix}", linear, asked, weights=name, transposed=True) for name in "kv")
    if masked:
        scores = run.do("scores", attention_scores, (q, k), {}, ("asking", "asked"))
        return run.do("mix", attention_mix, (run("shares", causal_softmax, scores), v), {}, ("asking", "feature"))
    products = run.do("products", full_products, (q, k), {}, ("asking", "asked"))
    scores = run("scores", divide_by, products, divisor=math.sqrt(q.data.shape[-1]))
    return run.do("mix", full_mix, (run("shares", softmax, scores), v), {}, ("asking", "feature"))


def attention_trace(
    weights: Mapping[str, Weight],
    vectors: Array,
    words: Sequence[str],
    others: tuple[Array, Sequence[str]] | None = None,
    *,
    masked: bool = False,
    legend: Legend = ATTENTION,
) -> Trace:
    """Attention, recorded: of the words to each other, or to those of another sentence, given as vectors and words."""
    trace = Trace(weights, legend=legend)
    asked = words if others is None else others[1]
    trace.labels = {"word": list(words), "asking": list(words), "asked": list(asked)}
    with Run(weights, trace) as run:
        x = run.leaf("x", vectors, ("word", "input"))
        attend(run, x, None if others is None else run.leaf("y", others[0], ("asked", "input")), masked)
    return trace


def attention(weights: Mapping[str, Weight], vectors: Array, masked: bool = False) -> Array:
    """What attention makes of some vectors; nothing is recorded."""
    with Run(weights, results=frozenset({"mix"})) as run:
        return attend(run, Tensor("x", vectors, ()), masked=masked).data
