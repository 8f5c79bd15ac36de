"""The tokenizer of llama2.c, which lies beside a model: SentencePiece's pieces with their scores, and nothing else.

A file is the length of its longest piece, and for each token a score, a length, and so many bytes of text, in which a space is
a space. What is not said is the same for all: token 0 is the unknown, 1 begins a text and 2 ends it, 3 to 258 are bytes, and a
space comes before every text. https://github.com/karpathy/llama2.c/blob/master/tokenizer.py
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import read_bytes
from llmtrace.text import shown
from llmtrace.tokenizers.byte_symbols import written
from llmtrace.tokenizers.json_format.fields import quote
from llmtrace.tokenizers.merged_text import MergedTextTokenizer
from llmtrace.tokenizers.sentencepiece import BYTE, CONTROL, LARGEST, MOST_PIECES, NORMAL, UNKNOWN, Scored, from_scores

USUAL = "tokenizer.bin"
NOTHING, BEGIN, END, FIRST_BYTE = range(4)
"""The first tokens: the unknown, the two around a text, and byte 0."""
ENTRY = struct.Struct("<fi")


def tokenizer_beside(model: Path, vocabulary: int) -> MergedTextTokenizer | None:
    """The tokenizer beside a model of so many tokens: that of its size (`tok512.bin`), else the usual one; None where there
    is none. ModelError where it can't be used.
    """
    for name in (f"tok{vocabulary}.bin", USUAL):
        path = model.parent / name
        if os.path.lexists(path):
            return read_llama2c_tokenizer(path, vocabulary)
    return None


def read_llama2c_tokenizer(path: Path, vocabulary: int) -> MergedTextTokenizer:
    """The tokenizer in a file, which must have so many tokens; ModelError says why it can't be used."""
    content = read_bytes(path, LARGEST)
    try:
        return from_scores(_pieces(content, vocabulary), "before", BEGIN)
    except ModelError as error:
        raise ModelError(_("{path} can't be used as a tokenizer: {error}", path=shown(path), error=error)) from error


def _pieces(content: bytes, vocabulary: int) -> list[Scored]:
    if vocabulary > MOST_PIECES or vocabulary <= END:
        raise ModelError(_("a model of {count} tokens can't have one of this kind", count=vocabulary))
    longest, place = int.from_bytes(content[:4], "little"), 4
    pieces: dict[str, Scored] = {}
    for index in range(vocabulary):
        if place + ENTRY.size > len(content):
            raise ModelError(_("it has {count} tokens, but the model {vocabulary}", count=index, vocabulary=vocabulary))
        score, length = ENTRY.unpack_from(content, place)
        place += ENTRY.size
        if not 0 <= length <= min(longest, len(content) - place):
            raise ModelError(_("it is damaged: token {index} has {count} bytes", index=index, count=length))
        try:
            text = content[place : place + length].decode()
        except UnicodeDecodeError:
            raise ModelError(_("it is damaged: token {index} is not UTF-8", index=index)) from None
        place += length
        text = text.strip("\n") if index in {BEGIN, END} else written(text)
        if text in pieces:
            raise ModelError(_("the token {text} is in the vocabulary twice", text=quote(text)))
        pieces[text] = Scored(text, score, _kind(index, text))
    if place < len(content):
        raise ModelError(_("it has more than the {vocabulary} tokens of the model", vocabulary=vocabulary))
    return list(pieces.values())


def _kind(index: int, text: str) -> int:
    if index < FIRST_BYTE:
        return UNKNOWN if index == NOTHING else CONTROL
    return BYTE if text == f"<0x{index - FIRST_BYTE:02X}>" else NORMAL
