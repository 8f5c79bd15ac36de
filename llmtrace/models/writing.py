"""A text that grows token by token: characters that come in pieces, and texts that end it."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Sequence
from copy import copy
from typing import Any

from llmtrace.errors import PromptError

ENDS = frozenset({"<|endoftext|>", "<|im_end|>", "<|eot_id|>", "</s>"})
"""Special tokens with which models say that a text is at its end, where their files name none."""


def ends_of(tokenizer: Any) -> tuple[int, ...]:
    """The ids of those of a tokenizer's special tokens."""
    special = {**getattr(tokenizer, "special", {}), **getattr(tokenizer, "added", {})}
    return tuple(index for text, index in special.items() if text in ENDS)


class Writing:
    """What the new tokens say, so far. `stopped` is the text of `stops` that has ended it, `ended` the special token."""

    def __init__(self, tokenizer: Any, stops: Sequence[str] = (), ends: Collection[int] | None = None) -> None:
        self.stopped: str | None = None
        self.ended: str | None = None
        self._stops = tuple(stops)
        self._bytes = getattr(tokenizer, "decode_bytes", None)
        self._numbers = tokenizer is None
        self._ends = frozenset(ends_of(tokenizer) if ends is None else ends)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._tail = ""
        self._length = 0

    def __len__(self) -> int:
        """How many tokens it has."""
        return self._length

    def __copy__(self) -> Writing:
        other = object.__new__(Writing)
        other.__dict__ = {**self.__dict__, "_decoder": copy(self._decoder)}
        return other

    def add(self, index: int, text: str, last: bool = False) -> str:
        """What one more token adds to the text. A stop may stand across tokens; `last`: no token follows."""
        self._length += 1
        if index in self._ends:
            self.ended = text
            return self._decoder.decode(b"", final=True)
        if self._bytes is not None:
            text = self._decoder.decode(self._data(index), final=last)
        elif self._numbers:
            text = f" {text}"
        seen = self._tail + text
        found = [(seen.find(stop), stop) for stop in self._stops if stop in seen]
        if found:
            self.stopped = min(found)[1]
        room = max(map(len, self._stops), default=1) - 1  # so much of a stop may have come before the next token
        self._tail = seen[max(0, len(seen) - room) :]
        return text

    def _data(self, index: int) -> bytes:
        """The bytes of a token; none of one that the tokenizer does not know."""
        try:
            return bytes(self._bytes([index])) if self._bytes else b""
        except PromptError:
            return b""
