"""Embeddings: letters and words as vectors that are not chosen but trained, like the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.embeddings import letters as rhyme
from llmtrace.lessons.embeddings import nets, sentences
from llmtrace.lessons.embeddings.exercises import EXERCISES
from llmtrace.lessons.embeddings.words import LEGEND
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.nets import trained
from llmtrace.lessons.next_character.characters import ALPHABET, RHYME, ambiguous_contexts, sufficient_context, visible
from llmtrace.ops import Weight
from llmtrace.rng import derive
from llmtrace.trace import Trace
from llmtrace.views.document import Document
from llmtrace.views.explanation import view as explanation
from llmtrace.views.figures import Heatmap, Scatter

FIRST = 8
"""The pairs of words in the recorded training step."""


@dataclass
class Embeddings(Lesson):
    """The sizes and the training of a net that reads letters as vectors, and of one that reads words as points."""

    name = "embeddings"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("letters that go in", "12", "context:.0f"),
        Article("numbers in the vector of a letter", "10", "numbers:.0f"),
        Article("numbers that go in", "120", "inputs_count:.0f"),
    )
    chosen = "the net that reads letters has 24 neurons in one hidden layer; the sentences of the net that reads words are ours."

    numbers: int = 10
    context: int = 12
    letter_steps: int = 200
    letter_rate: float = 0.5
    sentences: int = 300
    word_steps: int = 1000
    word_rate: float = 1.0
    seed: int = 2

    def check(self) -> None:
        """LessonError where something would take too long, or there would be nothing to learn from."""
        limits = {"numbers": (2, 12), "context": (2, 20), "letter_steps": (1, 5000), "word_steps": (1, 5000)}
        self.require_within({**limits, "sentences": (10, 2000)})
        for key in ("letter_rate", "word_rate"):
            if not 0 < getattr(self, key) <= 5:
                raise LessonError(_("{key} must be above 0, and at most 5", key=key))

    # ---- letters -------------------------------------------------------------------------------------------------------

    @property
    def letters(self) -> str:
        """The alphabet of the net that reads letters, with the space and the full stop."""
        return ALPHABET

    @property
    def start(self) -> str:
        """The first context of the rhyme."""
        return RHYME[: self.context]

    @property
    def follows(self) -> str:
        """The letter that follows the first context."""
        return RHYME[self.context]

    @property
    def last(self) -> str:
        """The last letter of the first context, or the one before a space."""
        return self.start.rstrip()[-1]

    @property
    def neurons(self) -> int:
        """The size of the hidden layer of the net that reads letters."""
        return rhyme.NEURONS

    @property
    def inputs_count(self) -> int:
        """How many numbers go into the net that reads letters."""
        return self.context * self.numbers

    @cached_property
    def letter_weights(self) -> dict[str, Weight]:
        """The weights of the untrained net that reads letters."""
        return rhyme.untrained(self.seed, self.numbers, self.context)

    @property
    def table(self) -> Array:
        """The vectors of all letters before training, [letter, number]."""
        return self.letter_weights[nets.TABLE].data

    @cached_property
    def matrix_before(self) -> Heatmap:
        """The vectors of some letters before training, each a column."""
        return rhyme.vectors_as_columns(self.table, self.start)

    @cached_property
    def matrix_after(self) -> Heatmap:
        """The vectors of some letters after training, each a column."""
        return rhyme.vectors_as_columns(self.letter_net[0][nets.TABLE].data, self.start)

    @cached_property
    def picked(self) -> Trace:
        """The matrix of the vectors times a one-hot vector: the column of the last letter."""
        return rhyme.one_hot_product(self.table, self.last)

    @cached_property
    def laid_out(self) -> list[tuple[Any, ...]]:
        """The letters of the first context, each with the first numbers of its vector and the inputs that they go to."""
        return rhyme.input_rows(self.table, self.start)

    @cached_property
    def reading(self) -> Trace:
        """The net that reads letters at the first context, before training, with all gradients."""
        return rhyme.traced(self.letter_weights, self.start, self.follows)

    @property
    def gradient(self) -> float:
        """The gradient of the first number of the last letter's vector."""
        return float(self.reading.tensor("d.embedding")[self.letters.index(self.last), 0])

    @cached_property
    def gradient_shown(self) -> Document:
        """How the gradient of the first number of the last letter's vector is computed."""
        return explanation(self.reading.explain("d.embedding", self.letters.index(self.last), 0), ending=False)

    @cached_property
    def letter_net(self) -> tuple[Mapping[str, Weight], list[float]]:
        """The trained net that reads letters, and its losses on the way."""
        return rhyme.trained_on_rhyme(
            self.letter_weights, self.context, self.letter_rate, self.tracked(self.letter_steps)
        )

    @cached_property
    def knowing(self) -> Trace:
        """The net that reads letters at the first context, after training."""
        return rhyme.traced(self.letter_net[0], self.start)

    @cached_property
    def letter_course(self) -> list[tuple[Any, ...]]:
        """The loss of the net that reads letters after some steps."""
        losses = self.letter_net[1]
        return [(n, losses[n]) for n in sorted({0, 10, 30, 100, self.letter_steps}) if n < len(losses)]

    @cached_property
    def guesses(self) -> list[tuple[Any, ...]]:
        """Before and after training: the likeliest letter, its probability, and the probability of the right letter."""
        rows = []
        for when, trace in ((_("before"), "reading"), (_("after"), "knowing")):
            shares = self.recorded(trace, "guess.shares", 0)
            best = int(np.argmax(shares))
            rows.append((when, visible(self.letters[best]), shares[best], shares[self.letters.index(self.follows)]))
        return rows

    @cached_property
    def recited(self) -> str:
        """How the trained net that reads letters continues the first context."""
        return rhyme.recite(self.letter_net[0], self.context, self.start)

    @property
    def doubtful(self) -> str:
        """The first context that different letters follow; "" where there is none."""
        return visible(next(iter(ambiguous_contexts(RHYME, self.context)), ""))

    @property
    def longer(self) -> int:
        """The length of context that determines every next letter of the rhyme; more than `context`."""
        return sufficient_context(RHYME, self.context + 1)

    @cached_property
    def recited_by_longer(self) -> str:
        """What a net with the longer context writes from nothing on, after the same training."""
        weights = rhyme.untrained(self.seed, self.numbers, self.longer)
        learned, _losses = rhyme.trained_on_rhyme(
            weights, self.longer, self.letter_rate, self.tracked(self.letter_steps)
        )
        return rhyme.recite(learned, self.longer, "")

    @property
    def whole_rhyme(self) -> str:
        """The rhyme."""
        return RHYME

    # ---- words ---------------------------------------------------------------------------------------------------------

    @cached_property
    def text(self) -> Array:
        """The sentences as ids of words, one word after the other."""
        return sentences.random_sentences(derive(self.seed, "sentences"), self.sentences)

    @cached_property
    def first_sentences(self) -> list[tuple[Any, ...]]:
        """The first six sentences."""
        return [(n + 1, *(self.words[k] for k in self.text[3 * n : 3 * n + 3])) for n in range(6)]

    @cached_property
    def followers(self) -> list[tuple[Any, ...]]:
        """How often each verb follows each subject."""
        return sentences.verb_counts(self.text)

    @property
    def words(self) -> list[str]:
        """The vocabulary, in the language that is spoken."""
        return sentences.words()

    @cached_property
    def word_weights(self) -> dict[str, Weight]:
        """The weights of the untrained net that reads words."""
        return nets.word_weights(self.seed, len(sentences.WORDS))

    @cached_property
    def word_net(self) -> tuple[Mapping[str, Weight], list[float]]:
        """The trained net that reads words, and its losses on the way."""
        batch = nets.part("words", self.text[:-1], self.text[1:])
        return trained(self.word_weights, batch, self.word_rate, self.tracked(self.word_steps))

    @cached_property
    def word_step(self) -> Trace:
        """One training step on the first pairs of words, recorded."""
        return sentences.one_step(self.word_weights, self.text[: FIRST + 1], self.word_rate)

    @cached_property
    def step_shown(self) -> Document:
        """How one step changes the first number of the first word's point."""
        return explanation(self.word_step.explain("new.embedding", int(self.text[0]), 0), ending=False)

    @property
    def moved(self) -> str:
        """The first word of the sentences."""
        return self.words[int(self.text[0])]

    @cached_property
    def map_before(self) -> Scatter:
        """The words as points before training."""
        return sentences.word_plane(self.word_weights)

    @cached_property
    def map_after(self) -> Scatter:
        """The words as points after training."""
        return sentences.word_plane(self.word_net[0])

    @property
    def together(self) -> bool:
        """Whether words that are used alike are nearer to each other than to all others, after training."""
        return sentences.cluster_ratio(self.word_net[0]) < 1

    @cached_property
    def distances(self) -> list[tuple[Any, ...]]:
        """The distances of some pairs of words before and after training."""
        return sentences.distances(self.word_weights, self.word_net[0])

    @cached_property
    def cat_and_lion(self) -> Trace:
        """The distance of cat and lion after training, step by step."""
        return sentences.word_distance(self.word_net[0], sentences.PAIRS[0])

    @cached_property
    def cat_and_king(self) -> Trace:
        """The distance of cat and king after training, step by step."""
        return sentences.word_distance(self.word_net[0], sentences.PAIRS[-2])

    @cached_property
    def bundled(self) -> tuple[int, int, list[tuple[str, ...]]]:
        """The size of the bundled model's embedding table, and the nearest neighbours of some of its tokens."""
        return sentences.bundled()
