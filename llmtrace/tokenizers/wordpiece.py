"""WordPiece, as in BERT, and in the GPT-2s that were trained on Chinese with its vocabulary.

A text is cleaned and cut into words (`bert_text`). A word becomes the longest token that it begins with, then the longest one
that the rest begins with, and so on; a token that goes on with a word is written with "##" in front. A word for which that
does not come to an end becomes the unknown token. Spaces, and what is cleaned away, do not come back.

    Japanese and Korean Voice Search, Schuster and Nakajima, 2012
    BERT, Devlin and others, 2018, https://arxiv.org/abs/1810.04805
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.tokenizers.bert_text import Cleaning, is_chinese, is_punctuation
from llmtrace.tokenizers.byte_symbols import utf8
from llmtrace.tokenizers.json_format.write import wordpiece_json, write_json
from llmtrace.tokenizers.special_tokens import SpecialTokens
from llmtrace.tokenizers.tokenization import Piece, Token, Tokenization
from llmtrace.tokenizers.vocabulary import FromVocabulary, Vocabulary

UNKNOWN = "[UNK]"
CONTINUES = "##"
"""How a token begins that goes on with a word."""
LONGEST = 100
"""A word with more characters is unknown."""
REMEMBERED = 1 << 15


class WordPieceTokenizer(FromVocabulary):
    """A tokenizer of longest tokens.

    vocabulary: the id of each token; unknown: the token for words that have no others; cleaning: what is done to a text first;
    added, special: as in `ByteLevelBPE`.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        unknown: str = UNKNOWN,
        cleaning: Cleaning | None = None,
        added: Mapping[str, int] | None = None,
        special: Mapping[str, int] | None = None,
    ) -> None:
        if unknown not in vocabulary:
            raise ModelError(_("its unk_token {text} is not in the vocabulary", text=cited(unknown)))
        self.vocabulary, self.unknown = dict(vocabulary), unknown
        self.cleaning = cleaning or Cleaning()
        self.added, self.special = dict(added or {}), dict(special or {})
        self._found = SpecialTokens(self.added, self.special)
        self._texts = {index: text for text, index in [*self.vocabulary.items(), *self._found.ids.items()]}
        apart = {unknown, *self._found.ids}
        every = {**self.vocabulary, **self._found.ids}
        self._tokens = Vocabulary(
            (index, utf8(text if text in apart else spoken(text), ModelError)) for text, index in every.items()
        )
        self._longest = max(map(len, self.vocabulary))
        self._word_tokens = lru_cache(REMEMBERED)(self._tokens_of)

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text. What looks like a special token is ordinary text, unless `special`."""
        utf8(text)
        ids: list[int] = []
        for part, token in self._found.split(text, special):
            if token is not None:
                ids.append(self._found.ids[token])
                continue
            for word in self.cleaning.parts(part):
                ids += [self.vocabulary[token] for token in self._word_tokens(word.piece)] if word.kept else []
        return self.framing.around(ids)

    def _tokens_of(self, word: str) -> tuple[str, ...]:
        """The tokens of one word, as the vocabulary has them."""
        tokens: list[str] = []
        done = 0
        while done < len(word) <= LONGEST:
            start = CONTINUES if done else ""
            ends = range(min(len(word), done + self._longest), done, -1)
            end = next((end for end in ends if start + word[done:end] in self.vocabulary), None)
            if end is None:
                break
            tokens.append(start + word[done:end])
            done = end
        return tuple(tokens) if tokens and done == len(word) else (self.unknown,)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids: words of letters with one space before each, but for the first."""
        return super().decode(ids).removeprefix(" ")

    def explain(self, text: str, special: bool = False) -> Tokenization:
        """The way of a text to its ids: the words, and the tokens of each."""
        utf8(text)
        found = self._found.explain(text, special, self.cleaning.parts, self._explain_word)
        return self.framing.explained(found, self.token)

    def _explain_word(self, text: str, word: str) -> Piece:
        symbols = self._word_tokens(word)
        tokens = tuple(Token(self.vocabulary[s], s, self.token(self.vocabulary[s])) for s in symbols)
        unknown = self.unknown if symbols == (self.unknown,) else ""
        return Piece(text, utf8(word), tuple(word), (), tokens, unknown=unknown, continues=CONTINUES)

    def save(self, folder: Path | str) -> Path:
        """Writes tokenizer.json into a folder, in the format of the `tokenizers` library, and returns its path."""
        return write_json(wordpiece_json(self), Path(folder))


def spoken(token: str) -> str:
    """What a token is in a text: its word with a space before it, but for Chinese characters and punctuation marks."""
    if token.startswith(CONTINUES) and token != CONTINUES:
        return token.removeprefix(CONTINUES)
    return token if is_chinese(token[0]) or is_punctuation(token[0]) else f" {token}"
