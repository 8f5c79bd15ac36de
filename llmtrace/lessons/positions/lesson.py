"""Positions: learned vectors of places, sines and cosines, and turned queries and keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.positions import codes
from llmtrace.lessons.positions.exercises import EXERCISES
from llmtrace.lessons.positions.words import LEGEND
from llmtrace.loading import load
from llmtrace.models import LanguageModel, as_language_model
from llmtrace.trace import Trace

TEXT, TWICE = "张麻子正在打李麻子", "麻"
PAPER = 64
"""The width for which the article's four places are printed."""
CURVES = 10
QUERY, KEY = (1.0, 0.5), (0.8, -0.3)
PAIRS = ((1, 0), (5, 4), (30, 29), (5, 0), (35, 30))
AMPLITUDE = "ours: it is the wavelength that differs; all amplitudes are 1"


@dataclass
class Positions(Lesson):
    """A text in which a character comes twice, the size of the codes, and what the bundled model reads."""

    name = "positions"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("中华人民: the places counted", "1, 2, 3, 4", "[n + 1 for n in range(len('中华人民'))]"),
        Article("÷ max: three words", "0.33, 0.67, 1", "[round((n + 1) / 3, 2) for n in range(3)]"),
        Article("÷ max: the first of four words", "0.25", "1 / 4:.2f"),
        Article("codes of 64 numbers, place 0", "0, 1, 0, 1", "[round(float(each), 3) for each in paper[0]]"),
        Article("place 1", "0.841, 0.540, 0.682, 0.732", "paper[1]:.3f"),
        Article("place 2", "0.909, −0.416, 0.997, 0.071", "paper[2]:.3f"),
        Article("place 3", "0.141, −0.990, 0.778, −0.628", "paper[3]:.3f"),
        Article(
            "the numbers of a code are between",
            "0 and 1",
            "'−1 and 1'",
            "ours, and another article: a sine goes from −1 to 1",
        ),
        Article("what makes the ten curves different", "the amplitude", "'the wavelength'", AMPLITUDE),
        Article(
            "the shortest and the longest wavelength of ten curves", "6.28, 25,013", "ends", "ours: it is 25,013.8"
        ),
        Article(
            "d in 10000^(i/d)",
            "the length of the context",
            "'the length of the vector'",
            "ours: the paper divides by the length of the vector, and a pair of sine and cosine shares a wavelength",
        ),
        Article(
            "“odd and even places” get sine and cosine",
            "places",
            "'numbers of the vector'",
            "ours: it is the number of the feature that is odd or even, not the word's place",
        ),
    )
    chosen = "the vectors of the characters and the matrices, drawn at random."

    text: str = TEXT
    width: int = 8
    words: int = 3
    prompt: str = "The king had a child"
    theta: float = 0.3
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range, or no character comes twice."""
        self.require_within({"width": (2, 16), "words": (2, 8), "theta": (0, 3.2)})
        if self.width % 2:
            raise LessonError(_("width must be even, as a sine and a cosine make a pair"))
        if not 2 <= len(self.text) <= 20 or len(set(self.text)) == len(self.text):
            raise LessonError(_("text must have from 2 to 20 characters, one of them twice"))
        if not self.prompt.strip() or len(self.model.ids(self.prompt)) > self.model.config.context:
            raise LessonError(_("the prompt must have from 1 to {count} tokens", count=self.model.config.context))

    # ---- the same character twice --------------------------------------------------------------------------------------

    @property
    def twice(self) -> str:
        """The first character that comes more than once."""
        return next(letter for letter in self.text if self.text.count(letter) > 1)

    @cached_property
    def free(self) -> Trace:
        """Attention without places and without a mask."""
        return codes.read(self.text, self.seed, placed=False)

    @cached_property
    def placed(self) -> Trace:
        """Attention with the codes of the places."""
        return codes.read(self.text, self.seed, placed=True)

    @cached_property
    def masked(self) -> Trace:
        """Attention without places, where no character looks at a later one."""
        return codes.read(self.text, self.seed, placed=False, masked=True)

    @property
    def where(self) -> list[int]:
        """Where this character stands, from 0."""
        return [n for n, letter in enumerate(self.text) if letter == self.twice]

    @property
    def both(self) -> list[tuple[Any, ...]]:
        """Where it stands, and its first two numbers after attention: without places, and with them."""
        return [(n, *self.recorded("free", "mix", n)[:2], *self.recorded("placed", "mix", n)[:2]) for n in self.where]

    @property
    def equal(self) -> bool:
        """Whether they are equal to the bit without places."""
        rows = self.free.tensor("mix")[self.where]
        return len({row.tobytes() for row in rows}) == 1

    # ---- learned places ------------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> LanguageModel:
        """The bundled model."""
        return as_language_model(load())

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the prompt."""
        return self.model.trace(self.prompt)

    @property
    def table(self) -> Array:
        """What the bundled model has learned for each place."""
        return self.model.weights["embed.position.weight"].data

    @property
    def near(self) -> list[tuple[Any, ...]]:
        """The cosine of the vector of place 20 with those of others."""
        rows = self.table.astype(np.float64)
        own = rows[20]
        others = (20, 21, 22, 25, 30, 40, 60)
        return [(n, n - 20, float(own @ rows[n] / np.sqrt((own @ own) * (rows[n] @ rows[n])))) for n in others]

    # ---- two ideas that fail -------------------------------------------------------------------------------------------

    @property
    def counted(self) -> list[tuple[Any, ...]]:
        """Places as their numbers, and how much of a vector's length they make beside a word's."""
        own = float(np.sqrt((self.model.weights["embed.token.weight"].data.astype(np.float64) ** 2).mean()))
        return [(place, f"[{place}, {place}, …]", own, place / own) for place in (1, 2, 10, 100)]

    @property
    def shared(self) -> list[tuple[Any, ...]]:
        """Places divided by how many words there are, in a sentence and in one with a word more."""
        more = self.words + 1
        return [(n, n / self.words if n <= self.words else "–", n / more) for n in range(1, more + 1)]

    @property
    def shared_table(self) -> list[tuple[Any, ...]]:
        """The same, written; an eighth has three digits, as two would cut off a half."""
        digits = [3 if words == 8 else 2 for words in (self.words, self.words + 1)]
        return [
            (n, *(each if isinstance(each, str) else f"{each:.{d}f}" for each, d in zip(row, digits, strict=True)))
            for n, *row in self.shared
        ]

    # ---- sines and cosines ---------------------------------------------------------------------------------------------

    @cached_property
    def wave(self) -> Trace:
        """The sines and cosines of four places for codes of 64, as steps."""
        return codes.waves(4, PAPER)

    @property
    def paper(self) -> Array:
        """The first four numbers of the codes of 64, for four places."""
        return codes.sinusoids(4, PAPER)[:, :4]

    @property
    def paper_width(self) -> int:
        """The width for which they are."""
        return PAPER

    @property
    def paper_table(self) -> list[tuple[Any, ...]]:
        """The same as a table."""
        return [(n, *row) for n, row in enumerate(self.paper)]

    @property
    def codes(self) -> Array:
        """The codes of the first places."""
        return codes.sinusoids(12, self.width)

    def angle(self, place: int, feature: int) -> float:
        """What the sine or the cosine is taken of."""
        return codes.angle(place, feature, self.width)

    @property
    def base(self) -> int:
        """The base of the powers."""
        return int(codes.BASE)

    @property
    def waves(self) -> list[tuple[Any, ...]]:
        """The wavelengths of ten curves."""
        return [(n, codes.wavelength(n, CURVES)) for n in range(CURVES)]

    @property
    def ends(self) -> str:
        """The shortest and the longest of them."""
        return f"{self.waves[0][1]:.2f}, {self.waves[-1][1]:,.0f}"

    @property
    def far(self) -> list[tuple[Any, ...]]:
        """The dot product of the codes of two places, for several distances and beginnings."""
        rows = codes.sinusoids(60, PAPER).astype(np.float64)
        return [(k, *(float(rows[p] @ rows[p + k]) for p in (0, 5, 50))) for k in (0, 1, 2, 5, 9)]

    # ---- rotary --------------------------------------------------------------------------------------------------------

    @cached_property
    def turns(self) -> list[Trace]:
        """A query and a key, turned by their places."""
        return codes.turned(QUERY, KEY, PAIRS, self.theta)

    @property
    def turned(self) -> Trace:
        """The last of them."""
        return self.turns[-1]

    @property
    def query(self) -> Array:
        """The query that is turned."""
        return np.array(QUERY, np.float32)

    @property
    def turned_place(self) -> int:
        """Where its query stands."""
        return PAIRS[-1][0]

    @property
    def turn_table(self) -> list[tuple[Any, ...]]:
        """For each pair of places: how far they are apart, and the score."""
        scores = (self.recorded(f"turns.{n}", "turned.product", 0, 0, 0) for n in range(len(PAIRS)))
        return [(a, b, a - b, score) for (a, b), score in zip(PAIRS, scores, strict=True)]
