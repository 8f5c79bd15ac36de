"""What all tokenizers do with ids: look up bytes, refuse what is unknown."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any, Self

from llmtrace.display import Displayed, above
from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import _
from llmtrace.pickling import FromArguments
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import visible
from llmtrace.tokenizers.framing import NONE, Framing
from llmtrace.tokenizers.special_tokens import Flags, SpecialTokens


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


class FromVocabulary(Displayed, FromArguments):
    """The half of a tokenizer that all have in common: from ids back to texts."""

    _tokens: Vocabulary
    framing: Framing = NONE
    """What is put around every text."""

    added: Mapping[str, int]
    special: Mapping[str, int]
    _found: SpecialTokens

    def __reduce__(self) -> tuple[Any, ...]:
        state = vars(self)
        return (*super().__reduce__(), {name: state[name] for name in ("framing", "_found") if name in state})

    @property
    def flags(self) -> Flags:
        """The flags of its added and special tokens: what they take of the text beside them, and where they are found."""
        return self._found.flags

    def flagged(self, flags: Flags) -> Self:
        """The tokenizer itself, with these."""
        self._found = SpecialTokens(self.added, self.special, flags)
        return self

    def going_on(self) -> Self:
        """The same tokenizer for a text that goes on with another: nothing is put around it, and no space before it."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__, framing=NONE)
        return other

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

    def document(self) -> Any:
        """How many tokens it knows, some of them, and the special ones."""
        return above("llmtrace.views.tokenizer").view(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} tokens>"

    def __len__(self) -> int:
        """One more than the largest id."""
        return self._tokens.size
