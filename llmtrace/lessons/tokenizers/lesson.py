"""Tokenizers: how a text becomes numbers, by characters, words, byte-pair encoding, or a unigram model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError, TrainingError
from llmtrace.i18n import _, listed
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.tokenizers import steps
from llmtrace.lessons.tokenizers.exercises import EXERCISES
from llmtrace.lessons.tokenizers.words import LEGEND
from llmtrace.loading import load, load_tokenizer
from llmtrace.tokenizers import Parting, Tokenizer, TrainedBPE, TrainedUnigram, train_bpe, train_unigram
from llmtrace.tokenizers.byte_symbols import written
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.training.bpe import BYTES, count_pieces
from llmtrace.tokenizers.training.unigram import seeds, shares
from llmtrace.trace import Trace
from llmtrace.views.figures import TokenRows

TEXT = (
    "one cat and two cats. one dog and two dogs. one hat and two hats. the cat has that hat, the bat has that hat, but the"
    " rat sat on it. who will catch my pig, the fox and the bird?"
)
TOO_LONG = 5_000
SOURCE = "Wo wohnst du?"


@dataclass
class Tokenizers(Lesson):
    """The text that two tokenizers learn from, how much they learn, and what is tokenized."""

    name = "tokenizers"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article("the tokens of “cats”", "cat + s", "' + '.join(cats)"),
        Article(
            "the numbers of a text's tokens",
            "[8, 21, … 20]",
            "source_ids",
            "both: a number is only a place in a vocabulary, and every tokenizer has its own",
        ),
        Article(
            "the rows that go into the net",
            "4 rows × 64 columns",
            "str(len(source_rows)) + ' rows × ' + str(len(source_rows[0])) + ' columns'",
        ),
    )
    chosen = "the text from which the tokenizers learn."

    source: ClassVar[str] = SOURCE

    text: str = TEXT
    merges: int = 20
    pieces: int = 40
    word: str = "hats"
    sample: str = "two dogs and the bats"
    character: str = "猫"
    gpt2: str = ""

    @property
    def english_words(self) -> int:
        """So many words an article gives English."""
        return 180_000

    def check(self) -> None:
        """LessonError where there is nothing to learn, or nothing to compare."""
        for key, most in (("text", TOO_LONG), ("word", 12), ("sample", 200)):
            if not 1 <= len(getattr(self, key)) <= most:
                text = _("{key} must have 1 to {most} characters")
                raise LessonError(text.format(key=key, most=f"{most:,}"))
        if len(self.character) != 1:
            raise LessonError(_("character must be a single one, not {text}", text=repr(self.character)))
        self.require_within({"merges": (1, 500), "pieces": (len(set(written(self.text))) + 1, 1000)})
        if " " in self.word:
            raise LessonError(_("word must be one word, without spaces, not {text}", text=repr(self.word)))
        if missing := sorted(set(f" {self.word}") - set(self.text)):
            text = _("text must have all that the word {word} is made of, and a space; it has no {missing}")
            raise LessonError(text.format(word=repr(self.word), missing=listed(map(repr, missing))))
        try:
            if len(self.partings) < 2 or not self.bpe.merges:
                raise LessonError(_("from this text nothing can be learned for the word {word}", word=self.word))
        except TrainingError as error:
            raise LessonError(str(error)) from error
        if self.gpt2:
            load_tokenizer(self.gpt2)  # which says what is wrong with it

    # ---- on into a net ----------------------------------------------------------------------------------------------------

    @cached_property
    def translation(self) -> Trace:
        """The bundled translator on a German sentence."""
        return load("translator").trace(SOURCE)

    @property
    def source_ids(self) -> list[int]:
        """The numbers of the sentence's tokens."""
        return [int(each) for each in self.translation.tensor("source")]

    @property
    def source_rows(self) -> Array:
        """The rows that these numbers pick."""
        return self.translation.tensor("encoder.embed.token")

    @property
    def picked(self) -> list[tuple[Any, ...]]:
        """Each token, its number, and the first and the last number of its row."""
        tokens = [str(self.translation.label("source", n)) for n in range(len(self.source_ids))]
        each = zip(tokens, self.source_ids, self.recorded("translation", "encoder.embed.token"), strict=True)
        return [(repr(token), number, *row[:3], "…", row[-1]) for token, number, row in each]

    # ---- characters and words ------------------------------------------------------------------------------------------

    @cached_property
    def words(self) -> dict[str, int]:
        """The words of the text, each with the space before it, and how often each occurs."""
        return dict(count_pieces(self.text).counts)

    @property
    def letters_count(self) -> int:
        """How many different characters the text has."""
        return len(set(self.text))

    @property
    def first_ways(self) -> TokenRows:
        """The sample in characters and in words."""
        return TokenRows({_("characters"): list(self.sample), _("words"): Splitter().pieces(self.sample)})

    @cached_property
    def word_rows(self) -> list[tuple[Any, ...]]:
        """The words of the sample, and how often each occurs in the text."""
        known = Counter(word.strip() for word in count_pieces(self.text).counts.elements())
        return [(word.strip(), known[word.strip()]) for word in Splitter().pieces(self.sample)]

    @property
    def unknown_words(self) -> list[str]:
        """The words of the sample that the text doesn't have."""
        return [word for word, times in self.word_rows if not times]

    # ---- merges --------------------------------------------------------------------------------------------------------

    @cached_property
    def bpe(self) -> TrainedBPE:
        """The tokenizer by byte-pair encoding."""
        return train_bpe(self.text, len(BYTES) + self.merges)

    @cached_property
    def pair_rows(self) -> list[tuple[Any, ...]]:
        """The pairs of symbols that occur most often before any merge."""
        return steps.pair_rows(self.words, self.bpe.merges[0])

    @cached_property
    def pair(self) -> Trace:
        """The count of the first pair that is merged."""
        return steps.pair_trace(self.words, (self.bpe.merges[0].left, self.bpe.merges[0].right))

    @cached_property
    def sizes(self) -> list[int]:
        """How many tokens the text has, before and after each merge."""
        return steps.lengths(self.words, self.bpe.merges)

    @cached_property
    def merge_rows(self) -> list[tuple[Any, ...]]:
        """The first merges: pair, result, count, and how many tokens the text has afterwards."""
        return steps.merge_rows(self.bpe.merges[:12], self.sizes[1:13])

    @cached_property
    def word_steps(self) -> list[tuple[Any, ...]]:
        """The merges of the word, each with the tokens after it."""
        return steps.word_rows(self.bpe.tokenizer.explain(f" {self.word}").pieces[0])

    def tokens(self, tokenizer: Tokenizer, text: str) -> list[str]:
        """The tokens of a text."""
        return [tokenizer.token(index) for index in tokenizer.encode(text)]

    @property
    def cats(self) -> list[str]:
        """The tokens of "cats" at the beginning of a text."""
        return self.tokens(self.bpe.tokenizer, "cats")

    def numbered(self, tokenizer: Tokenizer, text: str) -> TokenRows:
        """A text in tokens, with their ids."""
        ids = list(map(str, tokenizer.encode(text)))
        return TokenRows({_("tokens"): self.tokens(tokenizer, text), _("numbers"): ids})

    # ---- bytes ---------------------------------------------------------------------------------------------------------

    @property
    def data(self) -> list[int]:
        """The bytes of the character in UTF-8."""
        return list(self.character.encode())

    @property
    def bytes_count(self) -> int:
        """How many different bytes there are."""
        return len(BYTES)

    @property
    def base(self) -> int:
        """The ratio of the place values of the bytes of a character in UTF-8."""
        return steps.BASE

    @cached_property
    def code(self) -> Trace:
        """The code point of the character, computed from its bytes."""
        return steps.character_trace(self.character)

    @property
    def byte_rows(self) -> list[tuple[Any, ...]]:
        """Each byte of the character: its value, its prefix bits, and the rest."""
        return steps.byte_rows(self.code)

    # ---- the most probable parting -------------------------------------------------------------------------------------

    @cached_property
    def unigram(self) -> TrainedUnigram:
        """The tokenizer by a unigram model."""
        return train_unigram(self.text, 1 + len(BYTES) + self.pieces)

    @cached_property
    def partings(self) -> list[Parting]:
        """The most probable segmentations of the word."""
        return self.unigram.tokenizer.partings(f" {self.word}", 6)

    @property
    def parting_rows(self) -> list[tuple[Any, ...]]:
        """The most probable segmentations of the word with their scores."""
        return [(n + 1, " | ".join(map(steps.shown, p.parts)), p.score) for n, p in enumerate(self.partings)]

    @property
    def best_probabilities(self) -> list[float]:
        """The probabilities of the pieces of the best segmentation."""
        return [self.unigram.probabilities[part] for part in self.partings[0].parts]

    @property
    def best_parts(self) -> str:
        """The pieces of the best segmentation."""
        return " + ".join(map(steps.shown, self.partings[0].parts))

    @cached_property
    def best(self) -> Trace:
        """The score of the best segmentation, step by step."""
        return steps.score_trace(self.partings[0], self.unigram.probabilities)

    @cached_property
    def other(self) -> Trace:
        """The score of the second best segmentation, step by step."""
        return steps.score_trace(self.partings[1], self.unigram.probabilities)

    # ---- where the probabilities come from -----------------------------------------------------------------------------

    @cached_property
    def first_guess(self) -> dict[str, float]:
        """The initial probabilities of the pieces in the training of the unigram model."""
        return shares(seeds(self.unigram.words))

    @cached_property
    def guessed(self) -> list[Parting]:
        """All segmentations of the word by the initial probabilities, best first."""
        return steps.every_parting(written(f" {self.word}"), self.first_guess)

    @cached_property
    def expected(self) -> Trace:
        """The expected count of each piece in the word; the segmentations that end in the last letter as a piece come first."""
        ordered = sorted(self.guessed, key=lambda parting: self.word[-1] not in parting.parts)
        return steps.expected_trace(ordered, self.first_guess)

    @cached_property
    def share_rows(self) -> list[tuple[Any, ...]]:
        """The segmentations of the word with the largest probabilities among all."""
        shares = zip(self.expected.labels["parting"], self.expected["expected.shares"].output.tolist(), strict=True)
        return sorted(shares, key=lambda row: -row[1])[:6]

    @property
    def end(self) -> int:
        """The index of the word's last letter among the pieces."""
        return list(self.expected.labels["piece"]).index(self.word[-1])

    @property
    def rounds(self) -> list[tuple[Any, ...]]:
        """For each round of training, how many pieces are left, and the likelihood of the text."""
        return [(n + 1, r.pieces, r.likelihood) for n, r in enumerate(self.unigram.rounds)]

    @property
    def learned(self) -> list[tuple[Any, ...]]:
        """The most probable pieces."""
        return [(steps.shown(piece), share) for piece, share in list(self.unigram.probabilities.items())[:10]]

    # ---- side by side --------------------------------------------------------------------------------------------------

    @property
    def both(self) -> dict[str, Tokenizer]:
        """The two tokenizers by name."""
        return {_("merges"): self.bpe.tokenizer, _("probabilities"): self.unigram.tokenizer}

    @property
    def side_by_side(self) -> TokenRows:
        """The sample in the tokens of both tokenizers."""
        return TokenRows({name: self.tokens(tokenizer, self.sample) for name, tokenizer in self.both.items()})

    @cached_property
    def counts(self) -> list[tuple[Any, ...]]:
        """The numbers of tokens of the sample and of the text, by each way of tokenizing."""
        texts = (self.sample, self.text)
        rows = [(name, *(len(each.encode(text)) for text in texts)) for name, each in self.both.items()]
        words = [len(Splitter().pieces(text)) for text in texts]
        return [(_("characters"), *map(len, texts)), *rows, (_("words"), *words)]

    @cached_property
    def real(self) -> Tokenizer:
        """GPT-2's tokenizer where its folder is given, otherwise that of the bundled model."""
        return load_tokenizer(Path(self.gpt2)) if self.gpt2 else load_tokenizer()

    @property
    def real_shown(self) -> TokenRows:
        """The sample and the character in tokens of GPT-2 or of the bundled model."""
        return self.numbered(self.real, f"{self.sample} {self.character}")
