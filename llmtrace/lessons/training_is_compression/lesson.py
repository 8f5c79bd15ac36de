"""Training is compression: probabilities as bits, against a general compressor, and what a model does not keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.embeddings import nets, sentences
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.nets import trained
from llmtrace.lessons.self_attention.lesson import SENTENCE
from llmtrace.lessons.training_is_compression import measures
from llmtrace.lessons.training_is_compression.exercises import EXERCISES
from llmtrace.lessons.training_is_compression.words import LEGEND
from llmtrace.loading import load
from llmtrace.models import LanguageModel, as_language_model
from llmtrace.models.generation import Sampling
from llmtrace.ops import Weight
from llmtrace.rng import derive
from llmtrace.trace import Trace

FIRST = 8
"""How many pairs of words are read in the traces."""
RATE = 1.0
SHOWN = (0, 10, 30, 100)
ENGLISH = "A perceptron multiplies each input by a weight and adds up."
CUT = 41
"""After how many characters of the sentence the bundled model has to go on."""


@dataclass
class TrainingIsCompression(Lesson):
    """The figures of a large training, and the sentences that a small net learns."""

    name = "training-is-compression"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("billions of parameters × bytes of each = GB", "140", "parameters * bytes_each:.0f"),
        Article("10 TB : 140 GB", "71", "ratio:.0f"),
        Article("GPU hours: 6,000 GPUs for 12 days", "1,728,000", "cost.tensor('price.hours')[0]:,.0f"),
        Article("2 million dollars: one GPU hour, in dollars", "1.16", "cost.tensor('price.hour')[0]:.2f"),
        Article(
            "inference: what happens to the weights",
            "they settle",
            "'nothing' if unchanged else 'they change'",
            "ours: training changes the weights, inference only reads them",
        ),
    )
    chosen = "the sentences that a small net learns, and what the bundled model is asked."

    terabytes: float = 10.0
    parameters: float = 70.0
    bytes_each: float = 2.0
    cards: float = 6000.0
    days: float = 12.0
    dollars: float = 2.0
    sentences: int = 300
    steps: int = 300
    prompt: str = SENTENCE
    seed: int = 2

    def check(self) -> None:
        """LessonError where an input is out of range."""
        positive = ("terabytes", "parameters", "bytes_each", "cards", "days", "dollars")
        self.require_within({**dict.fromkeys(positive, (0.001, 1e6)), "sentences": (20, 2000), "steps": (1, 3000)})
        if len(self.prompt) <= CUT or len(self.model.ids(self.prompt)) > self.model.config.context:
            text = _("the prompt must have more than {least} characters, and at most {most} tokens")
            raise LessonError(text.format(least=CUT, most=self.model.config.context))

    # ---- a large training ----------------------------------------------------------------------------------------------

    @property
    def gigabytes(self) -> float:
        """What the parameters take."""
        return self.parameters * self.bytes_each

    @property
    def ratio(self) -> float:
        """How many times smaller that is than the text."""
        return self.terabytes * self.thousand / self.gigabytes

    @property
    def thousand(self) -> int:
        """How many gigabytes a terabyte has."""
        return 1000

    @property
    def hours_a_day(self) -> int:
        """How many hours a day has."""
        return 24

    @cached_property
    def cost(self) -> Trace:
        """What an hour of one graphics card costs."""
        return measures.price(self.cards, self.days, self.hours_a_day, self.dollars * 1e6)

    # ---- bits ----------------------------------------------------------------------------------------------------------

    @cached_property
    def coins(self) -> Trace:
        """The bits of some probabilities."""
        return measures.bits((1.0, 0.5, 0.25, 0.125, 1 / 24, 0.01))

    @property
    def bit_table(self) -> list[tuple[Any, ...]]:
        """Probabilities and their bits."""
        return list(zip(*(self.recorded("coins", name) for name in ("p", "bits")), strict=True))

    # ---- small sentences -----------------------------------------------------------------------------------------------

    @cached_property
    def text(self) -> Array:
        """The sentences as ids of words."""
        return sentences.random_sentences(derive(self.seed, "sentences"), self.sentences)

    @cached_property
    def held_out(self) -> Array:
        """Others of the same kind."""
        return sentences.random_sentences(derive(self.seed, "held out"), self.sentences)

    @property
    def first_sentences(self) -> list[tuple[Any, ...]]:
        """The first five sentences."""
        return [(n + 1, self.sentence(self.text, n)) for n in range(5)]

    def sentence(self, text: Any, number: int) -> str:
        """A sentence in words."""
        return " ".join(sentences.words()[k] for k in text[measures.WORDS * number : measures.WORDS * (number + 1)])

    @property
    def kinds(self) -> int:
        """How many different sentences there are."""
        return measures.KINDS

    @property
    def size(self) -> int:
        """How many bytes the sentences have."""
        return len(measures.written(self.text))

    @property
    def packed(self) -> int:
        """How many bytes a general compressor makes of them."""
        return measures.packed(measures.written(self.text))

    @cached_property
    def untrained(self) -> dict[str, Weight]:
        """The net before training."""
        return nets.word_weights(self.seed, len(sentences.WORDS))

    @cached_property
    def net(self) -> tuple[Mapping[str, Weight], list[float]]:
        """The net after training, and its losses on the way."""
        batch = nets.part("words", self.text[:-1], self.text[1:])
        return trained(self.untrained, batch, RATE, self.tracked(self.steps))

    @cached_property
    def before(self) -> Trace:
        """The net at the first words before training."""
        return measures.reading(self.untrained, self.text[: FIRST + 1])

    @cached_property
    def after(self) -> Trace:
        """The net at the first words after training."""
        return measures.reading(self.net[0], self.text[: FIRST + 1])

    @property
    def course(self) -> list[tuple[Any, ...]]:
        """The bits of a sentence after some steps."""
        losses = self.net[1]
        shown = sorted({*SHOWN, self.steps})
        return [(n, losses[n] / math.log(2) * measures.WORDS) for n in shown if n < len(losses)]

    @property
    def least(self) -> float:
        """The fewest bits that a sentence can cost, on average."""
        return math.log2(measures.KINDS)

    @property
    def bits_each(self) -> float:
        """What a sentence costs with the trained net."""
        return measures.bits_per_sentence(self.net[0], self.text)

    @property
    def numbers(self) -> int:
        """How many parameters the net has."""
        return sum(weight.data.size for weight in self.untrained.values())

    @property
    def net_bytes(self) -> int:
        """How many bytes they take."""
        return sum(weight.data.nbytes for weight in self.untrained.values())

    @property
    def surprise_bytes(self) -> float:
        """How many bytes all surprises take."""
        return self.bits_each * self.sentences / 8

    @property
    def sizes(self) -> list[tuple[Any, ...]]:
        """The text as it is, packed, and as net and surprises: bytes, bits of a sentence, bits of a byte."""
        rows = (
            (_("as it is"), float(self.size)),
            (_("packed by gzip's method"), float(self.packed)),
            (_("surprises of the net"), self.surprise_bytes),
            (_("with the net itself"), self.surprise_bytes + self.net_bytes),
        )
        return [(name, size, size * 8 / self.sentences, size * 8 / self.size) for name, size in rows]

    @property
    def held_out_bits(self) -> float:
        """What a sentence costs that the net has not seen."""
        return measures.bits_per_sentence(self.net[0], self.held_out)

    @property
    def dreams(self) -> list[tuple[Any, ...]]:
        """The first sentences, and those that the net writes instead."""
        words = measures.dreamt(self.net[0], int(self.text[0]), measures.WORDS * 5, derive(self.seed, "dreams"))
        return [(n + 1, self.sentence(self.text, n), self.sentence(words, n)) for n in range(5)]

    @property
    def unchanged(self) -> bool:
        """Whether a run of the bundled model leaves its weights as they were."""
        before = [weight.data.tobytes() for weight in self.model.weights.values()]
        self.model.logits(self.prompt)
        return before == [weight.data.tobytes() for weight in self.model.weights.values()]

    # ---- the bundled model ---------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> LanguageModel:
        """The bundled model."""
        return as_language_model(load())

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the prompt."""
        return self.model.trace(self.prompt)

    @cached_property
    def texts(self) -> list[tuple[Any, ...]]:
        """Texts and how many bits a byte of each costs: packed, and with the bundled model's probabilities."""
        rows = []
        letters = measures.scrambled(60, derive(self.seed, "letters"))
        for kind, text in (
            (_("a story"), self.prompt),
            (_("other English"), ENGLISH),
            (_("letters at random"), letters),
        ):
            data = text.encode()
            whole, _each = measures.model_bits(self.model, text)
            rows.append((kind, text[:20] + "…", len(data), measures.packed(data) * 8 / len(data), whole / len(data)))
        return rows

    @cached_property
    def goes_on(self) -> tuple[str, str, str]:
        """The beginning of the prompt, how it really goes on, and how the model goes on, as far."""
        begin, rest = self.prompt[:CUT], self.prompt[CUT:]
        count = len(self.model.ids(self.prompt)) - len(self.model.ids(begin))
        new = "".join(choice.written for choice in self.model.generate(begin, count, Sampling(0.0)))
        return begin, rest, new[: len(rest)]
