"""How BERT's tokenizers clean a text and cut it into words, before its words become tokens.

BERT, Devlin and others, 2018, https://arxiv.org/abs/1810.04805, and its tokenization.py. Spaces and controls fall out; with
`lowercase` capital letters become small, and accents fall out too; each punctuation mark, and each Chinese character, is a
word of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from llmtrace.tokenizers.normal_forms import normal
from llmtrace.tokenizers.part import Part
from llmtrace.tokenizers.unicode_14 import category, lowered

CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
"""From where to where the characters lie that are words of their own (2B820 to 2B91F are not among them in `tokenizers`)."""
KEPT_CONTROLS = "\t\n\r"
SPACE, WORD, ALONE, NOTHING = "space", "word", "alone", "nothing"
"""What a character is: between words, in one, one by itself, or not there any more."""


class Cleaning(NamedTuple):
    """What is done to a text; the names are those of the settings of `BertNormalizer`."""

    lowercase: bool = True
    strip_accents: bool | None = None
    """None: where capital letters become small."""
    handle_chinese_chars: bool = True
    clean_text: bool = True

    def parts(self, text: str) -> Iterator[Part]:
        """The words of a text, cleaned, and what stands between them; side by side what they stand for is the text."""
        own, word, group = "", "", SPACE
        for character in text:
            for number, (piece, kind) in enumerate(self._pieces(character)):
                if kind != NOTHING and (kind == ALONE or kind != group):
                    if own or word:
                        yield Part(own, word, group != SPACE)
                    own, word, group = "", "", kind
                own += "" if number else character
                word += "" if kind == SPACE else piece
        if own or word:
            yield Part(own, word, group != SPACE)

    def clean(self, character: str) -> str:
        """What becomes of one character: nothing, a space, or others."""
        if self.clean_text:
            if _is_space(character):
                return " "
            if character in "\0\ufffd" or category(character) in {"Cc", "Cf", "Co"}:
                return ""
        if self.strip_accents if self.strip_accents is not None else self.lowercase:
            character = "".join(part for part in normal(character, "NFD") if category(part) != "Mn")
        return "".join(lowered(part) for part in character) if self.lowercase else character

    def _pieces(self, character: str) -> Iterator[tuple[str, str]]:
        """What a character becomes, and what each part of that is."""
        chinese = self.handle_chinese_chars and is_chinese(character)
        cleaned = self.clean(character)
        if not cleaned:
            yield "", NOTHING
        for piece in cleaned:
            kind = SPACE if _is_space(piece) else ALONE if chinese or is_punctuation(piece) else WORD
            yield piece, kind


def is_chinese(character: str) -> bool:
    """Whether a character is a word of its own."""
    return any(first <= ord(character) <= last for first, last in CHINESE)


def is_punctuation(character: str) -> bool:
    """Whether a character is a punctuation mark, or any sign of ASCII."""
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return category(character).startswith("P")


def _is_space(character: str) -> bool:
    return character in KEPT_CONTROLS or (character.isspace() and not "\x1c" <= character <= "\x1f")
