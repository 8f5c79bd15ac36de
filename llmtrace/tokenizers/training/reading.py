"""Reading texts of any length in parts, so that cutting the parts into pieces gives the pieces of the whole."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from llmtrace.errors import ModelError, TrainingError
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular, reason
from llmtrace.text import shown

if TYPE_CHECKING:
    from regex import Pattern

PART = 1 << 18
"""So many bytes of a file, or characters of a text, are looked at together."""
BYTE_ORDER_MARK = "\ufeff"

# Where GPT-2's rule always begins a new piece, whatever else there is in the text: each of its patterns ends in characters of
# one class, which another class ends, and only the patterns of spaces look at what follows them.
SAFE = r"(?r)\S(?=\s)|\p{L}(?=\P{L})|\p{N}(?=\P{N})"
"""The last character that is no space and has one after it, or a letter with no letter after it, or a number with no number."""


def read_texts(paths: Path | str | Iterable[Path | str], size: int = PART) -> Iterator[str]:
    """The texts of one or several UTF-8 files in parts, about `size` bytes each; nothing is joined across files.

    By GPT-2's rule (`Splitter()`), the pieces of the parts are the pieces of the file: a part is longer than `size` only where
    a single piece is, or a row of emoji and other signs without a space. Line ends stay as they are; a byte order mark at the
    beginning is left out. TrainingError for a file that can't be read, and for bytes that are not UTF-8, with their place.
    """
    for path in [paths] if isinstance(paths, Path | str) else paths:
        yield from cut_safely(_decoded(path, size))


def parts_of(text: str, size: int = PART) -> Iterator[str]:
    """One long text in such parts."""
    return cut_safely(text[start : start + size] for start in range(0, len(text), size))


def cut_safely(chunks: Iterable[str]) -> Iterator[str]:
    """The same text cut at other places, where GPT-2's rule begins a new piece in any case."""
    safe = _safe()
    held: list[str] = []
    for chunk in chunks:
        if not chunk:
            continue
        last = held[-1][-1] if held else ""
        match = safe.search(last + chunk)
        if match is None:
            held.append(chunk)
            continue
        end = match.end() - len(last)
        yield "".join([*held, chunk[:end]])
        held = [chunk[end:]]
    if held:
        yield "".join(held)


@cache
def _safe() -> Pattern[str]:
    import regex

    return regex.compile(SAFE)


def _decoded(path: Path | str, size: int) -> Iterator[str]:
    try:
        file = open_regular(path)
    except ModelError as error:
        raise TrainingError(str(error)) from error
    with file:
        start, rest, ended, begun = 0, b"", False, False
        while not ended:
            data = _read(file, path, size)
            ended = not data
            data = rest + data
            try:
                text, used = codecs.utf_8_decode(data, "strict", ended)
            except UnicodeDecodeError as error:
                raise TrainingError(
                    _(
                        "{path} is not UTF-8: byte {place}, counted from 0, is 0x{byte:02X}; convert the file first",
                        path=shown(path),
                        place=start + error.start,
                        byte=data[error.start],
                    )
                ) from error
            start, rest = start + used, data[used:]
            yield text if begun else text.removeprefix(BYTE_ORDER_MARK)
            begun = begun or bool(text)


def _read(file: BinaryIO, path: Path | str, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise TrainingError(_("{path} can't be read: {why}", path=shown(path), why=reason(error))) from error
