"""Byte-pair encoding of characters, as in SentencePiece and Llama 2: a text is not cut, and its spaces are written "▁".

Neighbours are merged, best first, until no merge applies; a character that is left and has no token is written in bytes
("<0xE4>"). Which merge is best is said by a list of merges, or by the scores of the tokens that they make.

    Neural Machine Translation of Rare Words with Subword Units, Sennrich, Haddow and Birch, 2016
    SentencePiece, Kudo and Richardson, 2018, https://arxiv.org/abs/1808.06226
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import BYTE_NAME, SPACE, byte_names, expect_no_sign, utf8, written
from llmtrace.tokenizers.json_format.write import merged_text_json, write_json
from llmtrace.tokenizers.merging import merge_by_queue
from llmtrace.tokenizers.part import Part
from llmtrace.tokenizers.special_tokens import SpecialTokens
from llmtrace.tokenizers.tokenization import Merge, Piece, Token, Tokenization
from llmtrace.tokenizers.vocabulary import FromVocabulary, Vocabulary

REMEMBERED = 1 << 15  # words whose tokens are remembered
ACROSS = re.compile(f"[^{SPACE}]{SPACE}")
"""A token in which a space follows something else: with one, words can't be merged each on its own."""
WORD = re.compile(f"{SPACE}*[^{SPACE}]*")
WORD_OF_ONE_SPACE = re.compile(f"{SPACE}?[^{SPACE}]*")
Space = Literal["", "before", "unless there", "first"]
"""Where a space is put that the text does not have: nowhere; before every text (what is between two special tokens is one);
before every text that does not begin with one; the same, but only at the very beginning."""


class MergedTextTokenizer(FromVocabulary):
    """A tokenizer of merges of characters.

    vocabulary: the id of each token, with "▁" for a space; merges: the pairs, best first, or the score of each token;
    in_bytes: the tokens "<0x00>" to "<0xFF>" are bytes; space: where a space is added; added, special: as in `ByteLevelBPE`;
    by_words: the text is cut before every space (Metaspace with `split`).
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[tuple[str, str]] | Mapping[str, float],
        in_bytes: bool = True,
        space: Space = "before",
        added: Mapping[str, int] | None = None,
        special: Mapping[str, int] | None = None,
        by_words: bool = False,
    ) -> None:
        self.vocabulary, self.merges, self.in_bytes, self.space = vocabulary, merges, in_bytes, space
        self.by_words = by_words
        self.added, self.special = dict(added or {}), dict(special or {})
        self._found = SpecialTokens(self.added, self.special)
        self._bytes = frozenset(name for name in vocabulary if in_bytes and BYTE_NAME.fullmatch(name))
        own = {name: bytes.fromhex(name[3:5]) for name in self._bytes}
        own.update({text: utf8(text, ModelError) for text in self._found.ids})
        self._tokens = Vocabulary(
            (index, own.get(text) or utf8(text.replace(SPACE, " "), ModelError))
            for text, index in [*vocabulary.items(), *self._found.ids.items()]
        )
        self._ranks = _ranks(vocabulary, merges, self._bytes | self._found.ids.keys())
        apart = not any(ACROSS.search(text) for text in vocabulary)
        self._word = WORD_OF_ONE_SPACE if by_words else WORD if apart else None
        self._word_ids = lru_cache(REMEMBERED)(self._ids_of)

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text. What looks like a special token is ordinary text, unless `special`."""
        expect_no_sign(text)
        self._expect_back(text)
        ids: list[int] = []
        begins = True
        for part, token in self._found.split(text, special):
            if token is not None:
                ids.append(self._found.ids[token])
            else:
                for word in self._words(self._spaced(part, begins)):
                    ids += self._word_ids(word)
            begins = False
        return self.framing.around(ids)

    def _expect_back(self, text: str) -> None:
        """PromptError where the space that is added would not be the one that decoding takes away."""
        if self.space in {"unless there", "first"} and text.startswith(" "):
            raise PromptError(
                _(
                    "this tokenizer can't give {text} back: it adds a space before every text that has none and takes the"
                    " first one away (Metaspace, prepend_scheme 'always'); begin without a space",
                    text=cited(text),
                )
            )

    def _spaced(self, text: str, begins: bool) -> str:
        """A text as it is merged, the space included that is put before it."""
        if self.space == "before" or (self.space == "unless there" and not text.startswith(" ")):
            return f" {text}"
        return f" {text}" if self.space == "first" and begins and not text.startswith(" ") else text

    def _words(self, text: str) -> list[str]:
        """The parts of a text across whose ends nothing is merged, with "▁" for spaces."""
        text = written(text)
        return [word for word in self._word.findall(text) if word] if self._word else [text] if text else []

    def _merged(self, word: str) -> tuple[list[str], list[Merge]]:
        return merge_by_queue(word, self._ranks)

    def _ids_of(self, word: str) -> tuple[int, ...]:
        return tuple(self.vocabulary[name] for symbol in self._merged(word)[0] for name in self._names(symbol))

    def _names(self, symbol: str) -> list[str]:
        """The tokens of what merging left: itself, or its bytes."""
        if symbol in self.vocabulary and symbol not in self._found.ids and symbol not in self._bytes:
            return [symbol]
        names = byte_names(symbol)
        if not self._bytes.issuperset(names):
            raise PromptError(_("this tokenizer has no token for {character}", character=cited(symbol)))
        return names

    def going_on(self) -> Self:
        """As for all tokenizers."""
        other = super().going_on()
        other.space = ""
        return other

    def decode(self, ids: Iterable[int]) -> str:
        """As for all tokenizers, without the space that was added, and what was put around the text."""
        text = super().decode(ids)
        return text.removeprefix(" ") if self.space else text

    def explain(self, text: str, special: bool = False) -> Tokenization:
        """The way of a text to its ids: every merge of every word, and what is put around them."""
        self.encode(text, special)
        begins = iter([token is None for _part, token in self._found.split(text, special)][:1])

        def parts(part: str) -> Iterator[Part]:
            spaced = self._spaced(part, next(begins, False))
            done = 0
            for word in self._words(spaced):
                own = len(word) - (len(spaced) - len(part) if not done else 0)
                yield Part(part[done : done + own], word.replace(SPACE, " "))
                done += own

        return self.framing.explained(self._found.explain(text, special, parts, self._explain_word), self.token)

    def _explain_word(self, text: str, word: str) -> Piece:
        symbols, merges = self._merged(written(word))
        names = [name for symbol in symbols for name in self._names(symbol)]
        tokens = tuple(Token(self.vocabulary[name], name, self.token(self.vocabulary[name])) for name in names)
        return Piece(text, utf8(word), tuple(written(word)), tuple(merges), tokens)

    def pairs(self) -> list[tuple[str, str]]:
        """The merges as a list, best first; of those with equal scores, which make one token, the one with the shortest left."""
        if not isinstance(self.merges, Mapping):
            return list(self.merges)
        found = [
            (rank, index, (text[:cut], text[cut:]))
            for text, index in self.vocabulary.items()
            for cut in range(1, len(text))
            if text[:cut] in self.vocabulary
            and text[cut:] in self.vocabulary
            and (rank := self._ranks((text[:cut], text[cut:]))) is not None
        ]
        return [pair for _rank, _index, pair in sorted(found, key=lambda each: each[:2])]

    def save(self, folder: Path | str) -> Path:
        """Writes tokenizer.json into a folder, in the format of the `tokenizers` library, and returns its path."""
        return write_json(merged_text_json(self), Path(folder))


Ranks = Callable[[tuple[str, str]], int | None]


def _ranks(
    vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]] | Mapping[str, float], apart: Collection[str]
) -> Ranks:
    """How early two neighbours are merged: as the list of merges has them, or the higher the score of the token they make."""
    if isinstance(merges, Mapping):
        scores = sorted({score for text, score in merges.items() if text not in apart}, reverse=True)
        order = {score: rank for rank, score in enumerate(scores)}
        made = {text: order[score] for text, score in merges.items() if text not in apart and len(text) > 1}
        return lambda pair: made.get(pair[0] + pair[1])
    for rank, (left, right) in enumerate(merges):
        for text in (left, right, left + right):
            if text not in vocabulary:
                raise ModelError(
                    _(
                        "merge {rank} joins {left} and {right}, but {lacking} is not in the vocabulary",
                        rank=rank,
                        left=cited(left),
                        right=cited(right),
                        lacking=cited(text),
                    )
                )
    return {pair: rank for rank, pair in enumerate(merges)}.get
