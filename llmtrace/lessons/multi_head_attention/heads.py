"""A small attention of two heads, the article's extra matrix, and the bundled model without one of its heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.attention_nets import random_rows
from llmtrace.lessons.multi_head_attention.words import LEGEND
from llmtrace.models import GPT
from llmtrace.ops import Weight, by_name
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.attention.heads import merge_heads
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.trace import Run, Trace

WIDTH = 4


def weights(seed: int) -> dict[str, Weight]:
    """Random matrices of queries, keys, values and the output, [in, out]."""
    return by_name(
        Weight(f"heads.{name}.weight", random_rows(seed, f"heads.{name}", WIDTH, WIDTH, 1, 0.7), ("in", "out"))
        for name in ("q", "k", "v", "out")
    )


def attention(matrices: Mapping[str, Weight], vectors: Array, words: Sequence[str], heads: int) -> Trace:
    """Attention in several heads, recorded."""
    trace = Trace(matrices, legend=LEGEND)
    trace.labels = dict.fromkeys(("word", "asking", "asked"), tuple(words))
    with Run(matrices, trace) as run:
        x = run.leaf("x", vectors, ("word", "feature"))
        q, k, v = (run(f"heads.{name}", linear_to_heads, x, heads=heads) for name in "qkv")
        scores = run.do("heads.scores", attention_scores, (q, k), {}, ("head", "asking", "asked"))
        shares = run("heads.shares", causal_softmax, scores)
        mix = run.do("heads.mix", attention_mix, (shares, v), {}, ("head", "word", "feature"))
        run("heads.out", linear, run("heads.beside", merge_heads, mix))
    return trace


def extra_matrix(seed: int, vectors: Array, words: Sequence[str], size: int) -> Trace:
    """A head's values by way of shared ones, and by one matrix that is the product of both."""
    shared = Weight("shared.v.weight", random_rows(seed, "shared", WIDTH, WIDTH, 1, 0.7), ("from", "in"))
    own = Weight("extra.v.weight", random_rows(seed, "extra", WIDTH, size, 1, 0.7), ("in", "out"))
    trace = Trace(by_name([shared, own]), legend=LEGEND)
    trace.labels = {"word": words}
    with Run(trace.weights, trace) as run:
        x = run.leaf("x", vectors, ("word", "feature"))
        run("extra.v", linear, run("shared.v", linear, x))
        first = run.leaf("first", shared.data, ("from", "in"))
        one = run.do("one.weight", linear, (first, own, None), {}, ("from", "feature"))
        run.do("own.v", linear, (x, one, None), {})
    return trace


def without_head(model: GPT, block: int, head: int) -> GPT:
    """The same model, but that the output matrix of a block has only 0 for what one head has gathered."""
    name, size = f"block.{block}.attn.out.weight", model.config.width // model.config.heads
    matrix = model.weights[name].data.copy()
    matrix[head * size : (head + 1) * size] = np.float32(0)
    changed = {**model.weights, name: model.weights[name].with_data(matrix)}
    return GPT(model.config, changed, model.tokenizer, model.name, model.reference)
