"""A part of a text on its way to tokens."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A part of a text that is cut off on its own."""

    own: str
    """What stands in the text."""
    piece: str
    """What becomes tokens: the same, or what the tokenizer has made of it, such as with a space that was added before it."""
    kept: bool = True
    """Whether it does not just fall out."""
