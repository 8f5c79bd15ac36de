"""Embeddings: letters and words as vectors that are not chosen but trained, like the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.embeddings import letters as rhyme
from llmtrace.lessons.embeddings import nets
from llmtrace.lessons.embeddings import sentences as told
from llmtrace.lessons.embeddings.exercises import EXERCISES
from llmtrace.lessons.embeddings.words import LEGEND
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.nets import trained
from llmtrace.lessons.next_character.reciting import RHYME, SIGNS, enough, followers, visible
from llmtrace.ops import Weight
from llmtrace.rng import derive
from llmtrace.trace import Trace
from llmtrace.views.document import Document
from llmtrace.views.explanation import view as explanation
from llmtrace.views.figures import Heatmap, Scatter

FIRST = 8
"""So many pairs of words are in the step that is looked at."""


@dataclass
class Embeddings(Lesson):
    """A net that reads letters as vectors, and one that reads words as points."""

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
        self.within({**limits, "sentences": (10, 2000)})
        for key in ("letter_rate", "word_rate"):
            if not 0 < getattr(self, key) <= 5:
                raise LessonError(_("{key} must be above 0, and at most 5", key=key))

    # ---- letters -------------------------------------------------------------------------------------------------------

    @property
    def letters(self) -> str:
        """All letters that can be read, with the space and the full stop."""
        return SIGNS

    @property
    def start(self) -> str:
        """What the net reads first."""
        return RHYME[: self.context]

    @property
    def follows(self) -> str:
        """The letter that really follows."""
        return RHYME[self.context]

    @property
    def last(self) -> str:
        """The last letter that the net reads first, or the one before a space."""
        return self.start.rstrip()[-1]

    @property
    def neurons(self) -> int:
        """Of the hidden layer."""
        return rhyme.NEURONS

    @property
    def inputs_count(self) -> int:
        """How many numbers go in."""
        return self.context * self.numbers

    @cached_property
    def letter_weights(self) -> dict[str, Weight]:
        """The untrained net."""
        return rhyme.untaught(self.seed, self.numbers, self.context)

    @property
    def table(self) -> Array:
        """The vectors of all letters before training: a row for each."""
        return self.letter_weights[nets.TABLE].data

    @cached_property
    def matrix_before(self) -> Heatmap:
        """Some columns of the matrix before training."""
        return rhyme.columns(self.table, self.start)

    @cached_property
    def matrix_after(self) -> Heatmap:
        """The same after it."""
        return rhyme.columns(self.letter_net[0][nets.TABLE].data, self.start)

    @cached_property
    def picked(self) -> Trace:
        """The matrix times a one-hot vector: the column of the last letter."""
        return rhyme.picked(self.table, self.last)

    @cached_property
    def laid_out(self) -> list[tuple[Any, ...]]:
        """The letters that go in, each with the first numbers of its vector and the places where its numbers go."""
        return rhyme.laid_out(self.table, self.start)

    @cached_property
    def reading(self) -> Trace:
        """Before training, with the gradients."""
        return rhyme.traced(self.letter_weights, self.start, self.follows)

    @property
    def gradient(self) -> float:
        """That of the first number of the last letter."""
        return float(self.reading.tensor("d.embedding")[self.letters.index(self.last), 0])

    @cached_property
    def gradient_shown(self) -> Document:
        """How it is computed."""
        return explanation(self.reading.explain("d.embedding", self.letters.index(self.last), 0), ending=False)

    @cached_property
    def letter_net(self) -> tuple[Mapping[str, Weight], list[float]]:
        """The trained net, and its loss on the way."""
        return rhyme.taught(self.letter_weights, self.context, self.letter_rate, self.counted(self.letter_steps))

    @cached_property
    def knowing(self) -> Trace:
        """The beginning of the rhyme after training."""
        return rhyme.traced(self.letter_net[0], self.start)

    @cached_property
    def letter_course(self) -> list[tuple[Any, ...]]:
        """The loss after some steps."""
        losses = self.letter_net[1]
        return [(n, losses[n]) for n in sorted({0, 10, 30, 100, self.letter_steps}) if n < len(losses)]

    @cached_property
    def guesses(self) -> list[tuple[Any, ...]]:
        """Before and after: the letter with the largest share, that share, and the share of the right letter."""
        rows = []
        for when, trace in ((_("before"), self.reading), (_("after"), self.knowing)):
            shares = trace["guess.shares"].output[0]
            best = int(shares.argmax())
            rows.append((when, visible(self.letters[best]), shares[best], shares[self.letters.index(self.follows)]))
        return rows

    @cached_property
    def recited(self) -> str:
        """How the net goes on from the beginning of the rhyme."""
        return rhyme.recited(self.letter_net[0], self.context, self.start)

    @property
    def doubtful(self) -> str:
        """Letters after which the net can't know what follows; "" where there are none."""
        return visible(next(iter(followers(RHYME, self.context)), ""))

    @property
    def longer(self) -> int:
        """How many letters must be read to know what follows everywhere; more than the first net reads."""
        return enough(RHYME, self.context + 1)

    @cached_property
    def recited_by_longer(self) -> str:
        """What a net that reads so many writes when it is given nothing, after the same training."""
        weights = rhyme.untaught(self.seed, self.numbers, self.longer)
        learned, _losses = rhyme.taught(weights, self.longer, self.letter_rate, self.counted(self.letter_steps))
        return rhyme.recited(learned, self.longer, "")

    @property
    def whole_rhyme(self) -> str:
        """What they should say."""
        return RHYME

    # ---- words ---------------------------------------------------------------------------------------------------------

    @cached_property
    def text(self) -> Array:
        """The sentences, one word after the other, as numbers of words."""
        return told.told(derive(self.seed, "sentences"), self.sentences)

    @cached_property
    def first_sentences(self) -> list[tuple[Any, ...]]:
        """The first six."""
        return [(n + 1, *(self.words[k] for k in self.text[3 * n : 3 * n + 3])) for n in range(6)]

    @cached_property
    def followers(self) -> list[tuple[Any, ...]]:
        """How often each verb follows those who do something."""
        return told.followers(self.text)

    @property
    def words(self) -> list[str]:
        """All words, in the language that is spoken."""
        return told.words()

    @cached_property
    def word_weights(self) -> dict[str, Weight]:
        """The untrained net."""
        return nets.word_weights(self.seed, len(self.words))

    @cached_property
    def word_net(self) -> tuple[Mapping[str, Weight], list[float]]:
        """The trained net, and its loss on the way."""
        batch = nets.part("words", self.text[:-1], self.text[1:])
        return trained(self.word_weights, batch, self.word_rate, self.counted(self.word_steps))

    @cached_property
    def word_step(self) -> Trace:
        """One step of training on the first pairs of words, all of it recorded."""
        return told.one_step(self.word_weights, self.text[: FIRST + 1], self.word_rate)

    @cached_property
    def step_shown(self) -> Document:
        """How the first word's first number changes."""
        return explanation(self.word_step.explain("new.embedding", int(self.text[0]), 0), ending=False)

    @property
    def moved(self) -> str:
        """The first word of the sentences."""
        return self.words[int(self.text[0])]

    @cached_property
    def map_before(self) -> Scatter:
        """The words as points before training."""
        return told.plane(self.word_weights)

    @cached_property
    def map_after(self) -> Scatter:
        """And after it."""
        return told.plane(self.word_net[0])

    @property
    def together(self) -> bool:
        """Whether the words that are used alike lie together."""
        return told.tightness(self.word_net[0]) < 1

    @cached_property
    def distances(self) -> list[tuple[Any, ...]]:
        """Of some words, before and after."""
        return told.distances(self.word_weights, self.word_net[0])

    @cached_property
    def cat_and_lion(self) -> Trace:
        """The distance of cat and lion after training."""
        return told.apart(self.word_net[0], told.PAIRS[0])

    @cached_property
    def cat_and_king(self) -> Trace:
        """That of cat and king."""
        return told.apart(self.word_net[0], told.PAIRS[-2])

    @cached_property
    def bundled(self) -> tuple[int, int, list[tuple[str, ...]]]:
        """Of the bundled model: its tokens, the numbers of each, and which are near each other."""
        return told.bundled()
