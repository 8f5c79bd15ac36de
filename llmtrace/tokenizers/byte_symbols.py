"""Bytes as characters that can be seen: the alphabet in which byte-level tokenizers write their vocabularies.

Each of the 256 bytes has one printable character. Most printable ones stand for themselves ("A", "é" for byte 0xE9);
the others, spaces and controls among them, take the characters from U+0100 on, in order: the space (byte 32) is the
33rd of them, "Ġ". The table is that of GPT-2 (OpenAI, encoder.py, `bytes_to_unicode`). SentencePiece writes texts as they
are, but for the space, and bytes only where it must (Kudo and Richardson, 2018, https://arxiv.org/abs/1808.06226).
"""

from __future__ import annotations

import codecs
import re

from llmtrace.errors import LlmtraceError, ModelError, PromptError
from llmtrace.i18n import _

THEMSELVES = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = sorted(set(range(256)) - set(THEMSELVES))

_TO_SYMBOL = {byte: chr(byte) for byte in THEMSELVES} | {byte: chr(256 + n) for n, byte in enumerate(_OTHERS)}
SYMBOLS: tuple[str, ...] = tuple(_TO_SYMBOL[byte] for byte in range(256))
"""The character of each byte."""

_NO_SYMBOL = dict.fromkeys(range(256), 0x100)  # what has no byte is turned into something that Latin-1 refuses
_TO_BYTE = {**_NO_SYMBOL, **{ord(symbol): byte for byte, symbol in enumerate(SYMBOLS)}}


def symbols_of(data: bytes) -> str:
    """One character per byte: " café" in UTF-8 → "ĠcafÃ©"."""
    return data.decode("latin-1").translate(_TO_SYMBOL)


def bytes_of(entry: str) -> bytes:
    """What an entry of a vocabulary stands for: its symbols as bytes; with any other character in it, its own UTF-8."""
    try:
        return entry.translate(_TO_BYTE).encode("latin-1")
    except UnicodeEncodeError:
        return utf8(entry, ModelError)


def utf8(text: str, error: type[LlmtraceError] = PromptError) -> bytes:
    """The bytes of a text; half a character (a lone surrogate) has none, and is refused with its place."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise error(
            _(
                "character {place} of the text is half a character, U+{code:04X}: remove it",
                place=problem.start + 1,
                code=ord(text[problem.start]),
            )
        ) from None


SPACE = "▁"
"""How SentencePiece writes a space (U+2581)."""


def written(text: str) -> str:
    """A text as SentencePiece writes it: " a cat" becomes "▁a▁cat"."""
    return text.replace(" ", SPACE)


def expect_no_sign(text: str) -> None:
    """PromptError for a text that SentencePiece can't write so that it comes back."""
    utf8(text)
    if SPACE in text:
        raise PromptError(
            _(
                "character {place} of the text is {sign!r}, with which this tokenizer writes a space: remove it",
                place=text.index(SPACE) + 1,
                sign=SPACE,
            )
        )


BYTE_NAME = re.compile("<0x([0-9A-F]{2})>")
"""How SentencePiece names a byte."""


def byte_names(text: str) -> list[str]:
    """SentencePiece's tokens for the bytes of a text that it has no other tokens for: "é" becomes "<0xC3>", "<0xA9>"."""
    return [f"<0x{byte:02X}>" for byte in utf8(text)]


def visible(data: bytes) -> str:
    """The text of one token: bytes that are only part of a character are written as <0xE4>."""
    return data.decode("utf-8", "llmtrace.visible")


def _write_out(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"<0x{byte:02X}>" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("llmtrace.visible", _write_out)
