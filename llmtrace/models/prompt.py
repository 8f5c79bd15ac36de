"""What a language model reads, and what it needs of a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Tokenizer(Protocol):
    """What a model needs of a tokenizer (see `llmtrace.tokenizers`)."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""

    def token(self, index: int) -> str:
        """The text of one token."""


Prompt = str | Sequence[int] | Sequence[str] | Sequence[Sequence[int]]
"""A text, the ids of its tokens, or several of either, equally long in tokens."""
