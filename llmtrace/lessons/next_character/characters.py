"""Texts as nets see them: characters as numbers, and the characters before each place of a text, its context."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array

ALPHABET = " abcdefghijklmnopqrstuvwxyz."
"""The characters that a net can read and write; the number of each is its index."""
RHYME = (
    "humpty dumpty sat on a wall humpty dumpty had a great fall"
    " all the kings horses and all the kings men couldnt put humpty together again."
)


def normalised(text: str) -> str:
    """A text in the characters of ALPHABET: lower case; all others are left out."""
    return "".join(character for character in text.lower() if character in ALPHABET)


def visible(text: str) -> str:
    """A text with `_` for each space."""
    return text.replace(" ", "_")


def numbers(text: str) -> Array:
    """The characters of a text as numbers, float32 [characters]."""
    return np.array([ALPHABET.index(character) for character in text], np.float32)


def window(text: str, length: int) -> str:
    """The last `length` characters of a text, padded with spaces on the left."""
    return text.rjust(length)[-length:]


def contexts(text: str, length: int) -> list[str]:
    """The context of every character of a text: the `length` characters before it."""
    return [window(text[:n], length) for n in range(len(text))]


def examples(text: str, length: int) -> list[tuple[str, str]]:
    """Every character of a text as (context, next character)."""
    return list(zip(contexts(text, length), text, strict=True))


def ambiguous_contexts(text: str, length: int) -> dict[str, str]:
    """The contexts that different characters follow in the text, with these characters, once for each place."""
    found: dict[str, str] = {}
    for context, following in examples(text, length):
        found[context] = found.get(context, "") + following
    return {context: following for context, following in found.items() if len(set(following)) > 1}


def sufficient_context(text: str, least: int) -> int:
    """The smallest length of context, `least` or more, that determines the next character everywhere in the text."""
    length = least
    while ambiguous_contexts(text, length):
        length += 1
    return length


def generate(scores: Callable[[str], Array], text: str, length: int, count: int) -> str:
    """A text with at most `count` characters appended, each the one with the highest score; a full stop is the last.

    scores: from a context of `length` characters to the score of every character of ALPHABET as the next one.
    """
    for _n in range(count):
        text += ALPHABET[int(scores(window(text, length)).argmax())]
        if text[-1] == ".":
            break
    return text
