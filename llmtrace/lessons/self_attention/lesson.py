"""Self-attention: shares that are computed from the words themselves decide what each word gathers from the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.attention_nets import attention_trace, random_attention, random_rows
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.self_attention import order, swaps
from llmtrace.lessons.self_attention.exercises import EXERCISES
from llmtrace.lessons.self_attention.words import LEGEND
from llmtrace.loading import CHINESE, load
from llmtrace.models import LanguageModel, as_language_model
from llmtrace.ops import Weight
from llmtrace.ops.attention.full_mix import full_mix
from llmtrace.rng import derive, normal
from llmtrace.trace import Run, Trace

SENTENCE = (
    "Damian had a secret child, a girl, and he had written in his will that all his belongings,"
    " along with the magical orb, will belong to"
)
ORDERS = (
    "A {word}, the secret child that Damian had, was in his will."
    " All his belongings, along with the magical orb, will belong to",
    "In his will he had written that his secret child, a {word}, would have all his belongings."
    " The magical orb will belong to",
    "Damian had written in his will that all his belongings would go to his secret child, a {word}."
    " The magical orb will belong to",
)
"""The same said in other orders."""
WORDS = ("humpty", "dumpty", "sat")
GERMAN = ("humpty", "dumpty", "saß")
APPLE = "我买了{thing}，想"
THINGS = ("苹果", "面条", "牛奶", "茶")
WIDTHS = (4, 64, 1024)


@dataclass
class SelfAttention(Lesson):
    """The sentence that the bundled model continues, and the shares and random numbers of the small attention."""

    name = "self-attention"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("shares of the words in a mixture", "0.5, 0.25, 0.25", "mix"),
        Article("matrices in the box", "3", "len(box):.0f"),
        Article(
            "what 顺 looks at most in 汉字的序顺并不定一影阅响读",
            "序",
            "shuffled[order_row.argmax()]",
        ),
        Article("characters of that sentence", "13", "len(shuffled):.0f"),
        Article("Damian's sentence: after “girl” comes", "her", "answers[0][1].strip('_')"),
        Article(
            "random nets of three words in which the last word's numbers stay the same when the first two are swapped",
            "all",
            "'all' if swapped[0][2] == nets else 'not all'",
        ),
        Article(
            "and of four, the second and the third swapped",
            "all",
            "str(swapped[2][2]) + ' of ' + str(nets)",
            "both: as real numbers they are the same; rounded sums depend on their order, except of the first two numbers",
        ),
    )
    chosen = "the vectors of humpty, dumpty and sat, and the matrices: drawn at random. ÷ √d and the mask are not in the article."

    sentence: str = SENTENCE
    word: str = "girl"
    other: str = "boy"
    mix: tuple[float, ...] = (0.5, 0.25, 0.25)
    order_steps: int = 400
    seed: int = 2

    def check(self) -> None:
        """LessonError where the sentence can't be asked."""
        self.require_within({"order_steps": (1, 2000)})
        if self.word not in self.sentence or not self.word.strip():
            raise LessonError(_("sentence must have the word {word} in it", word=repr(self.word)))
        if not self.other.strip():
            raise LessonError(_("other must be a word"))
        for word in (self.word, self.other):
            if len(self.model.ids(self.sentence.replace(self.word, word))) > self.model.config.context:
                raise LessonError(_("sentence must have at most {count} tokens", count=self.model.config.context))

    # ---- the model -----------------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> LanguageModel:
        """The bundled model."""
        return as_language_model(load())

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the sentence."""
        return self.model.trace(self.sentence)

    def answer(self, text: str) -> tuple[str, float]:
        """The likeliest next token after a text, as it is shown, and its probability."""
        chances = self.model.trace(text)["probabilities"].output[-1]
        best = int(chances.argmax())
        return self.model.token_text(best).replace(" ", "_"), float(chances[best])

    @cached_property
    def answers(self) -> list[tuple[Any, ...]]:
        """The likeliest next token with the one word and with the other, and its probability."""
        return [(word, *self.answer(self.sentence.replace(self.word, word))) for word in (self.word, self.other)]

    @cached_property
    def orders(self) -> list[tuple[Any, ...]]:
        """The same for other orders: how far back the word stands, and what comes after the one and the other."""
        rows: list[tuple[Any, ...]] = []
        for text in ORDERS:
            texts = [text.format(word=word) for word in (self.word, self.other)]
            rows.append((self.back(texts[0], self.word), *(self.answer(text)[0] for text in texts)))
        return rows

    def back(self, text: str, word: str) -> int:
        """How many tokens before the last one a word ends."""
        before = self.model.ids(text[: text.rindex(word) + len(word)])
        return len(self.model.ids(text)) - len(before)

    @property
    def distance(self) -> int:
        """How many tokens before the last one the word ends in the sentence."""
        return self.back(self.sentence, self.word)

    @property
    def place(self) -> int:
        """The position of the word's last token."""
        return len(self.real.tokens) - 1 - self.distance

    @cached_property
    def looks(self) -> list[tuple[Any, ...]]:
        """For each head of the last block: what the last token looks at most, its share, and that of the word."""
        name, tokens = f"block.{self.block}.attn.pattern", [token.replace(" ", "_") for token in self.real.tokens]
        rows = [self.recorded("real", name, head, -1) for head in range(self.model.config.heads)]
        return [(n, tokens[int(np.argmax(row))], max(row), row[self.place]) for n, row in enumerate(rows)]

    @property
    def block(self) -> int:
        """The last block."""
        return int(self.model.config.blocks) - 1

    @property
    def head(self) -> int:
        """The head of the last block in which the last token looks most at the word."""
        return int(max(self.looks, key=lambda row: row[3])[0])

    # ---- three words ---------------------------------------------------------------------------------------------------

    @property
    def words(self) -> tuple[str, ...]:
        """The three words."""
        return WORDS

    @cached_property
    def vectors(self) -> Array:
        """The vectors of the three words, of four random numbers each."""
        return random_rows(self.seed, "words", len(WORDS), swaps.WIDTH, 1)

    @cached_property
    def matrices(self) -> dict[str, Weight]:
        """The three matrices: queries and keys of two numbers, values of three."""
        return random_attention(self.seed, swaps.WIDTH, 2, 3, 1, 0.5)

    @cached_property
    def mixture(self) -> Trace:
        """The three words mixed by fixed shares."""
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"word": list(WORDS)}
        with Run({}, trace) as run:
            shares = run.leaf("shares.fixed", np.array([self.mix], np.float32), ("example", "word"))
            vectors = run.leaf("x", self.vectors, ("word", "feature"))
            run.do("mixed", full_mix, (shares, vectors), {})
        return trace

    @cached_property
    def small(self) -> Trace:
        """Attention of the three words to each other."""
        return attention_trace(self.matrices, self.vectors, WORDS, legend=LEGEND)

    @cached_property
    def masked(self) -> Trace:
        """The same where no word looks at a later one."""
        return attention_trace(self.matrices, self.vectors, WORDS, masked=True, legend=LEGEND)

    @cached_property
    def crossed(self) -> Trace:
        """The three words ask those of another sentence."""
        others = random_rows(self.seed, "others", len(GERMAN), swaps.WIDTH, 1)
        return attention_trace(self.matrices, self.vectors, WORDS, (others, GERMAN), legend=LEGEND)

    @property
    def made_shares(self) -> list[tuple[Any, ...]]:
        """For each word that the last one looks at: its score, e to that power, and its share."""
        scores, shares = (self.recorded("small", name, -1) for name in ("scores", "shares"))
        return [(word, x, math.exp(x), u) for word, x, u in zip(WORDS, scores, shares, strict=True)]

    @property
    def box(self) -> list[tuple[Any, ...]]:
        """The matrices of the box, each with the numbers that go in and come out, here and in a head of the bundled model."""
        width, heads = self.model.config.width, self.model.config.heads
        return [
            (name, *weight.data.shape[::-1], width, width // heads)
            for name, weight in zip("qkv", self.matrices.values(), strict=True)
        ]

    @cached_property
    def spreads(self) -> list[tuple[Any, ...]]:
        """By length of random vectors: the spread of their scores before and after ÷ √d, and the largest share of ten."""
        rows: list[tuple[Any, ...]] = []
        for size in WIDTHS:
            q, k = (normal(derive(self.seed, name, size), (30, 10, size)) for name in "qk")
            products = (q * k).sum(axis=-1)
            scores = products / math.sqrt(size)
            largest = [_largest_share(each) for each in (products, scores)]
            rows.append((size, math.sqrt((products**2).mean()), math.sqrt((scores**2).mean()), *largest))
        return rows

    # ---- what stays the same -------------------------------------------------------------------------------------------

    @property
    def nets(self) -> int:
        """How many random nets are tried."""
        return swaps.NETS

    @cached_property
    def _swapped(self) -> list[tuple[int, tuple[int, int], int, float]]:
        return swaps.swapped(self.seed)

    @property
    def swapped(self) -> list[tuple[Any, ...]]:
        """In how many random nets the last word's bits stay the same when two others change places."""
        text = _("{first} and {second}")
        return [(words, text.format(first=a, second=b), same, most) for words, (a, b), same, most in self._swapped]

    @property
    def meaning(self) -> str:
        """A sentence in which one word has several meanings."""
        return swaps.MEANING

    @cached_property
    def meanings(self) -> list[tuple[Any, ...]]:
        """The first numbers of each 意 after attention, without a mask and with one."""
        pairs = zip(swaps.meanings(self.seed, False), swaps.meanings(self.seed, True), strict=True)
        return [(*free, *masked[1:]) for free, masked in pairs]

    @cached_property
    def eaten(self) -> list[tuple[Any, ...]]:
        """What the bundled Chinese model says after each text, and the largest share that its last token gives the thing."""
        model, rows = as_language_model(load(CHINESE)), []
        for thing in THINGS:
            text = APPLE.format(thing=thing)
            trace = model.trace(text)
            place, chances = trace.tokens.index(thing), trace.tensor("probabilities")[-1]
            shares = [
                trace.tensor(step.name)[:, -1, place].max()
                for step in trace.steps
                if step.name.endswith("attn.pattern")
            ]
            rows.append((text, model.token_text(int(chances.argmax())), chances.max(), max(shares)))
        return rows

    # ---- swapped characters --------------------------------------------------------------------------------------------

    @property
    def shuffled(self) -> str:
        """A sentence with swapped neighbours."""
        return order.SHUFFLED

    @property
    def sentence_counts(self) -> tuple[int, int]:
        """How many sentences there are to learn from, and how many are held out."""
        learned, held = order.sentences(self.seed)
        return len(learned), len(held)

    @cached_property
    def order_weights(self) -> Mapping[str, Weight]:
        """The net that puts characters back in their order, trained."""
        return order.trained(self.seed, self.tracked(self.order_steps), self.order_steps)

    @cached_property
    def ordered(self) -> Trace:
        """That net at the sentence with swapped neighbours."""
        return order.mended(self.order_weights, order.SHUFFLED)

    @cached_property
    def put_right(self) -> str:
        """What it makes of the sentence."""
        return order.put_right(self.order_weights, order.SHUFFLED)

    @cached_property
    def order_exam(self) -> int:
        """How many held-out sentences it puts right without a mistake."""
        return order.held_out_right(self.seed, self.order_weights)[0]

    @cached_property
    def order_shares(self) -> Array:
        """How much each character looks at each, [asking, asked]."""
        return self.ordered.tensor("shares")

    @property
    def order_table(self) -> list[tuple[Any, ...]]:
        """The same in hundredths, a row for each character that looks."""
        rows = np.rint(100 * self.order_shares).astype(int).tolist()
        return [(letter, *(n or "" for n in row)) for letter, row in zip(self.order_letters, rows, strict=True)]

    @property
    def order_letters(self) -> str:
        """The characters of the sentence with swapped neighbours."""
        return order.SHUFFLED

    @property
    def order_row(self) -> Array:
        """How much 顺 looks at each character."""
        return self.ordered.tensor("shares")[order.SHUFFLED.index("顺")]

    def order_share(self, asking: str, asked: str) -> float:
        """How much one character looks at another."""
        return float(self.ordered.tensor("shares")[order.SHUFFLED.index(asking), order.SHUFFLED.index(asked)])


def _largest_share(scores: Array) -> float:
    """The mean, over all rows, of the largest share that softmax makes."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return float((powers.max(axis=-1) / powers.sum(axis=-1)).mean())
