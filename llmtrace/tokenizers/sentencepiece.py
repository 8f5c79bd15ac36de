"""SentencePiece's own file, tokenizer.model: a message of Protocol Buffers, of which only what matters is read.

https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import read_bytes
from llmtrace.text import shown
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.json_format.added import expect_few
from llmtrace.tokenizers.json_format.fields import quote
from llmtrace.tokenizers.merged_text import MergedTextTokenizer, Space

LARGEST = 32 << 20
MOST_PIECES = 1 << 20
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Types of pieces, in GGUF files too."""
PIECES, TRAINER, NORMALIZER = 1, 2, 3
"""The fields of the message."""
BPE = 2
KINDS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


class Scored(NamedTuple):
    """A piece of a vocabulary."""

    text: str
    score: float
    kind: int


def from_scores(
    pieces: Sequence[Scored], space: Space, begin: int | None = None, end: int | None = None
) -> MergedTextTokenizer:
    """A tokenizer whose merges are as good as the scores of what they make; `begin`, `end`: what stands around a text."""
    ids = {piece.text: index for index, piece in enumerate(pieces)}
    if len(ids) < len(pieces):
        twice = next(piece.text for index, piece in enumerate(pieces) if ids[piece.text] != index)
        raise ModelError(_("the token {text} is in the vocabulary twice", text=quote(twice)))
    if not ids or "" in ids:
        raise ModelError(_("a token of its vocabulary is empty"))
    for piece in pieces:
        if not abs(piece.score) < float("inf"):
            raise ModelError(_("the score of the token {text} is not finite", text=quote(piece.text)))
    for index in (begin, end):
        if index is not None and not 0 <= index < len(pieces):
            raise ModelError(_("there is no token {index}, which it puts around every text", index=index))
    special = {piece.text: ids[piece.text] for piece in pieces if piece.kind in {UNKNOWN, CONTROL}}
    added = {piece.text: ids[piece.text] for piece in pieces if piece.kind == USER_DEFINED}
    expect_few(len(special) + len(added))
    scores = {piece.text: piece.score for piece in pieces if piece.kind == NORMAL}
    in_bytes = any(piece.kind == BYTE for piece in pieces)
    tokenizer = MergedTextTokenizer(ids, scores, in_bytes, space, added, special)
    tokenizer.framing = Framing(*(() if index is None else (index,) for index in (begin, end)))
    return tokenizer


def read_sentencepiece(path: Path, begins: bool = True, ends: bool = False) -> MergedTextTokenizer:
    """The tokenizer in a file; whether its beginning and its end of text stand around every text. ModelError says why not."""
    content = read_bytes(path, LARGEST)
    try:
        return _read(content, begins, ends)
    except (ValueError, struct.error, ModelError) as error:
        why = error if isinstance(error, ModelError) else _("it is damaged, or not from SentencePiece")
        raise ModelError(_("{path} can't be used as a tokenizer: {error}", path=shown(path), error=why)) from error


def _read(content: bytes, begins: bool, ends: bool) -> MergedTextTokenizer:
    pieces: list[Scored] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    for number, value in _fields(content):
        if number == PIECES:
            pieces.append(_piece(_bytes(value)))
            if len(pieces) > MOST_PIECES:
                raise ValueError("too many pieces")
        elif number == TRAINER:
            trainer.update(_fields(_bytes(value)))
        elif number == NORMALIZER:
            normalizer.update(_fields(_bytes(value)))
    kind = trainer.get(3, 1)
    if kind != BPE:
        name = KINDS.get(kind, str(kind))
        raise ModelError(_("its model_type is {kind}; only bpe is supported", kind=quote(name)))
    if normalizer.get(2):
        name = _bytes(normalizer.get(1, b"")).decode()
        raise ModelError(_("its normalizer {kind} changes texts, which is not supported", kind=quote(name)))
    for field, name in ((4, "remove_extra_whitespaces"), (5, "escape_whitespaces")):
        if bool(normalizer.get(field, True)) is (field == 4):
            text = _("its setting {name} = {value} is not supported")
            raise ModelError(text.format(name=name, value=quote(field == 4)))
    if trainer.get(24, False):
        text = _("its setting {name} = {value} is not supported")
        raise ModelError(text.format(name="treat_whitespace_as_suffix", value=quote(True)))
    special = [_signed(trainer.get(field, usual)) for field, usual in ((41, 1), (42, 2))]
    begin, end = (
        index if wanted and index >= 0 else None for index, wanted in zip(special, (begins, ends), strict=True)
    )
    return from_scores(pieces, "before" if normalizer.get(3, True) else "", begin, end)


def _piece(content: bytes) -> Scored:
    found: dict[int, Any] = dict(_fields(content))
    score = struct.unpack("<f", _bytes(found[2]))[0] if 2 in found else 0.0
    return Scored(_bytes(found.get(1, b"")).decode(), score, found.get(3, NORMAL))


def _signed(value: Any) -> int:
    return int(value) - (1 << 64) if value >= 1 << 63 else int(value)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number where bytes are needed")
    return value


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: numbers, or bytes; ValueError for what is none."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(content, place)
            yield key >> 3, value
            continue
        if kind == 2:
            length, place = _varint(content, place)
        elif kind in {1, 5}:
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("a wire type that nobody writes")
        if length > len(content) - place:
            raise ValueError("cut off")
        yield key >> 3, content[place : place + length]
        place += length


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("cut off")
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & ((1 << 64) - 1), place
    raise ValueError("a number of more than 64 bits")
