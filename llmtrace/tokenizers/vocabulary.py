"""What all tokenizers do with ids: look up bytes, refuse what is unknown, find special tokens in a text."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import _
from llmtrace.pickling import FromArguments
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import utf8, visible
from llmtrace.tokenizers.framing import NONE, Framing
from llmtrace.tokenizers.part import Part
from llmtrace.tokenizers.tokenization import Piece, Token, Tokenization

Cut = Callable[[str], Iterable[Part]]
"""What is between added tokens into its parts."""


class Vocabulary:
    """The bytes of each token id."""

    def __init__(self, tokens: Iterable[tuple[int, bytes]]) -> None:
        self._data: dict[int, bytes] = {}
        for index, data in tokens:
            if self._data.setdefault(index, data) != data:
                raise ModelError(
                    _(
                        "the id {index} stands for two tokens, {first} and {second}",
                        index=index,
                        first=cited(visible(self._data[index])),
                        second=cited(visible(data)),
                    )
                )
        self.size = max(self._data, default=-1) + 1

    def data(self, index: int) -> bytes:
        """The bytes of a token; PromptError where there is no such id."""
        number = operator.index(index)
        if number not in self._data:
            raise PromptError(
                _(
                    "there is no token {index}: this tokenizer knows the ids 0 to {last}",
                    index=number,
                    last=self.size - 1,
                )
            )
        return self._data[number]

    def join(self, ids: Iterable[int]) -> bytes:
        """The bytes of several tokens, one after another."""
        data = self._data
        try:
            return b"".join([data[index] for index in ids])
        except KeyError as error:
            return self.data(error.args[0])


class FromVocabulary(FromArguments):
    """The half of a tokenizer that all have in common: from ids back to texts."""

    _tokens: Vocabulary
    framing: Framing = NONE
    """What is put around every text."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (*super().__reduce__(), {"framing": self.framing})

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, without what was put around it; bytes that are no UTF-8, such as half a character at the end,
        become U+FFFD.
        """
        return self.decode_bytes(self.framing.inside(list(ids))).decode("utf-8", "replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of some ids, exactly; PromptError for an id outside the vocabulary."""
        return self._tokens.join(ids)

    def token(self, index: int) -> str:
        """The text of one token; bytes that are only part of a character are written as <0xE4>."""
        return visible(self._tokens.data(index))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} tokens>"

    def __len__(self) -> int:
        """One more than the largest id."""
        return self._tokens.size


class SpecialTokens:
    """Tokens that are found in a text before it is cut: some always, the special ones only when asked for."""

    def __init__(self, always: Mapping[str, int], special: Mapping[str, int]) -> None:
        self.ids = {**always, **special}
        self._special = frozenset(special)
        self._pattern = _any_of(self.ids)

    def explain(self, text: str, special: bool, cut: Cut, describe: Callable[[str, str], Piece]) -> Tokenization:
        """The way of a text to its ids: each different piece is described once, by `describe(own, piece)`."""
        numbers: dict[tuple[Part, bool], int] = {}
        different: list[Piece] = []
        order: list[int] = []
        for part, found in self.split(text, special):
            for piece in [Part(part, part)] if found else cut(part):
                number = numbers.setdefault((piece, found), len(different))
                if number == len(different):
                    different.append(self._describe(part) if found else _described(piece, describe))
                order.append(number)
        return Tokenization(text, tuple(different), tuple(order))

    def _describe(self, text: str) -> Piece:
        return Piece(text, utf8(text), (text,), (), (Token(self.ids[text], text, text),))

    def split(self, text: str, special: bool) -> Iterator[tuple[str, bool]]:
        """The parts of a text, none empty, and whether each is such a token."""
        if self._pattern is None or (not special and self.ids.keys() <= self._special):
            yield from [(text, False)] if text else []
            return
        done = 0
        for match in self._pattern.finditer(text):
            # A special token that is not asked for is passed over as a whole: none is looked for inside it.
            if not special and match[0] in self._special:
                continue
            if match.start() > done:
                yield text[done : match.start()], False
            yield match[0], True
            done = match.end()
        if done < len(text):
            yield text[done:], False


def _described(part: Part, describe: Callable[[str, str], Piece]) -> Piece:
    return describe(part.own, part.piece) if part.kept else Piece(part.own, b"", (), (), ())


def _any_of(texts: Collection[str]) -> re.Pattern[str] | None:
    """Finds the leftmost of these texts, and the longest one there."""
    if not texts:
        return None
    return re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)))
