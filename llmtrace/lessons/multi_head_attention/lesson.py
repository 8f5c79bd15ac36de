"""Multi-head attention: several attentions side by side, concatenated and mixed by an output matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.attention_nets import random_rows
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.multi_head_attention import heads
from llmtrace.lessons.multi_head_attention.exercises import EXERCISES
from llmtrace.lessons.multi_head_attention.words import LEGEND
from llmtrace.lessons.self_attention.lesson import SENTENCE, WORDS
from llmtrace.loading import load
from llmtrace.models import GPT
from llmtrace.trace import Trace

HEADS = 2
SIZES = (("GPT-2 small", 12, 64), ("GPT-2 XL", 25, 64), ("GPT-3", 96, 128))
"""Published models: their heads, and the numbers of each."""


@dataclass
class MultiHeadAttention(Lesson):
    """What the bundled model reads, which two of its heads are looked at, and the random numbers of the small one."""

    name = "multi-head-attention"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("heads × numbers of each in GPT-2, and the width", "12 × 64 = 768", "sizes[1][4]"),
        Article(
            "an extra matrix for each head, made of a shared value",
            "needed",
            "'not needed' if apart < 0.00001 else 'needed'",
            "ours: two layers without an activation are one matrix; the paper has just one matrix for each head",
        ),
        Article(
            "what follows the concatenated heads",
            "nothing",
            "'a matrix'",
            "ours: the article leaves out the output matrix, which the paper has",
        ),
    )
    chosen = "the small attention of two heads, and its random numbers."

    sentence: str = SENTENCE
    first: tuple[int, ...] = (2, 2)
    second: tuple[int, ...] = (1, 3)
    seed: int = 0

    def check(self) -> None:
        """LessonError where there is no such head, or the sentence can't be read."""
        config = self.model.config
        for key in ("first", "second"):
            block, head = getattr(self, key)
            if not (0 <= block < config.blocks and 0 <= head < config.heads):
                text = _("{key} must be a block up to {block} and a head up to {head}")
                raise LessonError(text.format(key=key, block=config.blocks - 1, head=config.heads - 1))
        if not self.sentence.strip() or len(self.model.ids(self.sentence)) > config.context:
            raise LessonError(_("sentence must have from 1 to {count} tokens", count=config.context))

    # ---- two small heads -----------------------------------------------------------------------------------------------

    @property
    def words(self) -> tuple[str, ...]:
        """The three words."""
        return WORDS

    @property
    def heads_count(self) -> int:
        """How many heads the small attention has."""
        return HEADS

    @property
    def width(self) -> int:
        """How many numbers each word has."""
        return heads.WIDTH

    @property
    def size(self) -> int:
        """How many numbers each head has."""
        return heads.WIDTH // HEADS

    @cached_property
    def vectors(self) -> Array:
        """The vectors of the three words."""
        return random_rows(self.seed, "words", len(WORDS), heads.WIDTH, 1)

    @cached_property
    def small(self) -> Trace:
        """Attention of the three words in two heads."""
        return heads.attention(heads.weights(self.seed), self.vectors, WORDS, HEADS)

    @cached_property
    def single(self) -> Trace:
        """The same matrices as one head."""
        return heads.attention(heads.weights(self.seed), self.vectors, WORDS, 1)

    @cached_property
    def tiny(self) -> Trace:
        """The same matrices as heads of one number each."""
        return heads.attention(heads.weights(self.seed), self.vectors, WORDS, heads.WIDTH)

    @property
    def beside(self) -> list[tuple[Any, ...]]:
        """What each word has gathered in each head, side by side, and after the output matrix."""
        rows = zip(WORDS, *(self.recorded("small", f"heads.{part}") for part in ("beside", "out")), strict=True)
        return [(word, *joined, *out[:2]) for word, joined, out in rows]

    # ---- the extra matrix ----------------------------------------------------------------------------------------------

    @cached_property
    def extra(self) -> Trace:
        """A head's values through two matrices, and through one."""
        return heads.extra_matrix(self.seed, self.vectors, WORDS, self.size)

    @property
    def both_ways(self) -> list[tuple[Any, ...]]:
        """The head's values of each word through two matrices, and through one."""
        columns = (self.recorded("extra", name) for name in ("extra.v", "own.v"))
        return [(word, *two, *one) for word, two, one in zip(WORDS, *columns, strict=True)]

    @property
    def apart(self) -> float:
        """How far they differ at most."""
        return float(np.abs(self.extra.tensor("extra.v") - self.extra.tensor("own.v")).max())

    # ---- real models ---------------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> GPT:
        """The bundled model."""
        model = load()
        assert isinstance(model, GPT)
        return model

    @property
    def sizes(self) -> list[tuple[Any, ...]]:
        """Models, their heads, the numbers of each, and the width."""
        config = self.model.config
        rows = [(self.model.name, config.heads, config.width // config.heads), *SIZES]
        return [(name, count, each, count * each, f"{count} × {each} = {count * each:,}") for name, count, each in rows]

    @property
    def size_table(self) -> list[tuple[Any, ...]]:
        """The same as a table."""
        return [row[:4] for row in self.sizes]

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the sentence."""
        return self.model.trace(self.sentence)

    def looks(self, block: int, head: int) -> list[tuple[Any, ...]]:
        """What the last token looks at most in one head, with the shares."""
        shares = self.recorded("real", f"block.{block}.attn.pattern", head, -1)
        places = np.argsort(-np.array(shares), kind="stable")[:4]
        return [(self.real.tokens[n].replace(" ", "_"), len(shares) - 1 - int(n), shares[n]) for n in places.tolist()]

    @property
    def two_heads(self) -> list[tuple[Any, ...]]:
        """What the last token looks at most in two heads."""
        return [(*a, "", *b) for a, b in zip(self.looks(*self.first), self.looks(*self.second), strict=False)]

    def expected(self, model: GPT) -> tuple[str, float, float]:
        """The likeliest next token, its probability, and that of the whole model's likeliest token."""
        chances = model.trace(self.sentence)["probabilities"].output[-1]
        best, own = int(chances.argmax()), int(self.real["next_token"].output[-1])
        return model.token_text(best).replace(" ", "_"), float(chances[best]), float(chances[own])

    @property
    def answer(self) -> str:
        """The likeliest next token of the whole model."""
        return self.model.token_text(int(self.real["next_token"].output[-1])).replace(" ", "_")

    @cached_property
    def without(self) -> list[tuple[Any, ...]]:
        """For each head of the block of the first: what the model expects without it."""
        block = self.first[0]
        whole = ("–", *self.expected(self.model))
        rows = [(n, *self.expected(heads.without_head(self.model, block, n))) for n in range(self.model.config.heads)]
        return [whole, *((str(n), *row) for n, *row in rows)]
