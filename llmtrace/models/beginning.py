"""The token with which texts begin, for models that have one."""

from __future__ import annotations

from typing import Any

BEGINNINGS = ("<|begin_of_text|>", "<s>", "<|endoftext|>")
"""Special tokens with which texts begin, where a model's files name none."""


def beginning_of(tokenizer: Any) -> int | None:
    """The id of the one that a tokenizer has."""
    special = {**getattr(tokenizer, "special", {}), **getattr(tokenizer, "added", {})}
    return next((special[text] for text in BEGINNINGS if text in special), None)
