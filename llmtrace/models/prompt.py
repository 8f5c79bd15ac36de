"""What a language model reads, and what it needs of a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from llmtrace.i18n import _, listed


class Tokenizer(Protocol):
    """What a model needs of a tokenizer (see `llmtrace.tokenizers`)."""

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text. What looks like a special token is ordinary text, unless `special`."""

    def token(self, index: int) -> str:
        """The text of one token."""


class WithSpecial(str):
    """A text in which those of special tokens, such as `<|endoftext|>`, are these tokens; elsewhere they are plain text."""

    __slots__ = ()


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text, in which special tokens count where it says so."""
    return tokenizer.encode(str(text), special=True) if isinstance(text, WithSpecial) else tokenizer.encode(str(text))


def going_on(tokenizer: Any) -> Any:
    """The tokenizer for a text that goes on with another, where nothing is to be put before it."""
    own = getattr(tokenizer, "going_on", None)
    return own() if own else tokenizer


Prompt = str | Sequence[int] | Sequence[str] | Sequence[Sequence[int]]
"""A text, the ids of its tokens, or several of either."""


def different_lengths(lengths: Sequence[int], where: str) -> str:
    """What is wrong with a batch whose texts have different lengths, where they must have one."""
    text = _("these texts have {lengths} tokens, but must have the same number {where}; run them one by one")
    return text.format(lengths=listed(lengths), where=where)
