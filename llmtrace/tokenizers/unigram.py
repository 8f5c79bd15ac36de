"""A tokenizer of probabilities, as SentencePiece has it: of all partings of a word, the most probable one.

Every entry of the vocabulary has a probability; the most probable parting is found by Viterbi's way (`partings`). Nothing
is merged. A space is written "▁" and belongs to the word that follows. What has no entry is written in bytes, where the
vocabulary has tokens for them ("<0xE4>"), so that every text comes back.

    Subword Regularization, Kudo, 2018, https://arxiv.org/abs/1804.10959
    SentencePiece, Kudo and Richardson, 2018, https://arxiv.org/abs/1808.06226
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

from llmtrace.errors import ModelError, PromptError, UnknownTextError
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import SPACE, byte_names, expect_no_sign, utf8, written
from llmtrace.tokenizers.json_format.write import unigram_json, write_json
from llmtrace.tokenizers.part import Part
from llmtrace.tokenizers.partings import best_partings
from llmtrace.tokenizers.special_tokens import SpecialTokens
from llmtrace.tokenizers.tokenization import Parting, Piece, Token, Tokenization
from llmtrace.tokenizers.vocabulary import FromVocabulary, Vocabulary

REMEMBERED = 1 << 15  # words whose tokens are remembered
PENALTY = 10.0
"""So much lower than the lowest score is that of an unknown character (SentencePiece, kUnkPenalty)."""
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""The tokens of the bytes."""
WORD = re.compile(" [^ ]*|[^ ]+")
"""A word, with the space before it; a space that no word follows stands alone."""


class UnigramTokenizer(FromVocabulary):
    """A tokenizer of probabilities.

    entries: the texts with their scores, the logarithms of their probabilities; the id of each is its place; unknown: the
    id of the entry that stands for what can't be written, and never occurs; in_bytes: the entries "<0x00>" to "<0xFF>" are
    bytes; adds_space: a text that does not begin with a space gets one; by_words: no entry goes across a space;
    added, special: as in `ByteLevelBPE`.
    """

    def __init__(
        self,
        entries: Sequence[tuple[str, float]],
        unknown: int | None = None,
        in_bytes: bool = False,
        adds_space: bool = False,
        by_words: bool = True,
        added: Mapping[str, int] | None = None,
        special: Mapping[str, int] | None = None,
    ) -> None:
        self.entries, self.unknown, self.in_bytes = tuple(entries), unknown, in_bytes
        self.adds_space, self.by_words = adds_space, by_words
        self.added, self.special = dict(added or {}), dict(special or {})
        self._found = SpecialTokens(self.added, self.special)
        self.ids = {text: index for index, (text, _score) in enumerate(entries)}
        if len(self.ids) < len(self.entries):
            twice = next(text for index, (text, _score) in enumerate(entries) if self.ids[text] != index)
            raise ModelError(_("the token {text} is in the vocabulary twice", text=cited(twice)))
        lacking = [name for name in BYTES if in_bytes and name not in self.ids]
        if lacking or not entries:
            raise ModelError(_("the vocabulary has no {text}", text=cited(lacking[0] if lacking else SPACE)))
        apart = {*self._found.ids, *(BYTES if in_bytes else ()), *([] if unknown is None else [entries[unknown][0]])}
        self.scores = {text: score for text, score in entries if text not in apart}
        self.unknown_score = min(score for _text, score in entries) - PENALTY
        self._longest = max(map(len, self.scores), default=1)
        own = {name: bytes([byte]) for byte, name in enumerate(BYTES) if in_bytes}
        own.update({text: utf8(text, ModelError) for text in self._found.ids})
        self._tokens = Vocabulary(
            (index, own.get(text) or utf8(text.replace(SPACE, " "), ModelError))
            for text, index in [*self.ids.items(), *self._found.ids.items()]
        )
        self._word_ids = lru_cache(REMEMBERED)(self._ids_of)

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text. What looks like a special token is ordinary text, unless `special`."""
        expect_no_sign(text)
        ids: list[int] = []
        for part, token in self._found.split(text, special):
            if token is not None:
                ids.append(self._found.ids[token])
                continue
            for word in self.words(part):
                ids += self._word_ids(word)
        self._expect_back(text, ids)
        return self.framing.around(ids)

    def _expect_back(self, text: str, ids: list[int]) -> None:
        """PromptError where the space that is added would not be the one that decoding takes away."""
        if self.adds_space and not self._found.swallows and self.decode(ids) != text:
            raise PromptError(
                _(
                    "this tokenizer can't give {text} back: it adds a space before every text that has none and takes the"
                    " first one away (Metaspace, prepend_scheme 'always'); begin without a space",
                    text=cited(text),
                )
            )

    def words(self, text: str) -> list[str]:
        """The words of a text, each with the space before it: what is parted on its own."""
        if self.adds_space and text and not text.startswith(" "):
            text = f" {text}"
        return WORD.findall(text) if self.by_words else [text] if text else []

    def _parts(self, text: str) -> Iterator[Part]:
        done = 0
        for word in self.words(text):
            own = word if text.startswith(word, done) else word[1:]
            done += len(own)
            yield Part(own, word)

    def partings(self, word: str, count: int = 1) -> list[Parting]:
        """The most probable partings of a word, best first."""
        return best_partings(written(word), self.scores, self._longest, self.unknown_score, count)

    def _ids_of(self, word: str) -> tuple[int, ...]:
        return tuple(self.ids[name] for name in self._names(word, self.partings(word)[0].parts))

    def _names(self, word: str, parts: Iterable[str]) -> list[str]:
        """The entries for the parts of a word: each itself, or its bytes."""
        names: list[str] = []
        lacking: list[str] = []
        for part in parts:
            names += [part] if part in self.scores else byte_names(part) if self.in_bytes else []
            lacking += [] if part in self.scores or self.in_bytes else [part]
        if lacking:
            character = next((part for part in lacking if part != SPACE), lacking[0])
            text = _("this tokenizer can't write {word}: it has no token for {character}")
            said = text.format(word=cited(word.strip() or word), character=cited(character))
            small = self.partings(word.lower())[0].parts
            if word != word.lower() and all(part in self.scores for part in small):
                said += _("; did you mean {near}?", near=cited(word.lower().strip()))
            raise UnknownTextError(said)
        return names

    def going_on(self) -> Self:
        """As for all tokenizers."""
        other = super().going_on()
        other.adds_space = False
        return other

    def decode(self, ids: Iterable[int]) -> str:
        """As for all tokenizers, without the space that was added."""
        text = super().decode(ids)
        return text.removeprefix(" ") if self.adds_space else text

    def explain(self, text: str, special: bool = False) -> Tokenization:
        """The way of a text to its ids: for each word the parting that was chosen, and the next best one."""
        expect_no_sign(text)
        tokenization = self._found.explain(text, special, self._parts, self._explain_word)
        self._expect_back(text, tokenization.ids)
        return self.framing.explained(tokenization, self.token)

    def _explain_word(self, text: str, word: str) -> Piece:
        partings = tuple(self.partings(word, count=2))
        names = self._names(word, partings[0].parts)
        tokens = tuple(Token(self.ids[name], name, self.token(self.ids[name])) for name in names)
        return Piece(text, utf8(word), tuple(written(word)), (), tokens, partings)

    def save(self, folder: Path | str) -> Path:
        """Writes tokenizer.json into a folder, in the format of the `tokenizers` library, and returns its path."""
        return write_json(unigram_json(self), Path(folder))
