"""The header of a GGUF file, read with suspicion: it decides where numbers lie, and anyone can write one.

A file is "GGUF", a version, two counts, that many settings (name, type, value), that many tensors (name, axes, type, place),
and from the next multiple of the alignment on the data. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.blocks import StoredBlocks
from llmtrace.storage.files import open_regular, refuse
from llmtrace.storage.foreign import kind_of_file
from llmtrace.storage.quantised import TYPES
from llmtrace.text import shown

MAGIC = b"GGUF"
VERSIONS = (2, 3)
"""Version 1 counted with 32 bits, for a few weeks in 2023."""
LARGEST_HEADER = 48 << 20
"""The headers of the largest vocabularies have about 12 MB."""
MOST_SETTINGS, MOST_TENSORS, MOST_VALUES = 4096, 50_000, 1 << 21
"""So many settings, tensors and values in lists are far more than one file of the largest models has."""
LONGEST_NAME, LONGEST_TENSOR_NAME, MOST_AXES = 1 << 12, 256, 4
LARGEST_TENSOR = 1 << 60
PIECE = 1 << 20
NUMBERS = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 10: "<u8", 11: "<i8", 12: "<f8"}
"""The types of settings that are numbers."""
TRUTH, TEXT, LIST = 7, 8, 9


class Texts:
    """A list of texts in a header, decoded when it is asked for: most of a header is its vocabulary."""

    def __init__(self, content: bytes, count: int) -> None:
        self._content, self._count = content, count

    def __len__(self) -> int:
        return self._count

    def raw(self) -> Iterator[bytes]:
        """Each as its bytes."""
        content, place = self._content, 0
        for _each in range(self._count):
            start = place + 8
            place = start + int.from_bytes(content[place:start], "little")
            yield content[start:place]

    def __iter__(self) -> Iterator[str]:
        """Each as a text; ValueError for what is not UTF-8."""
        for number, raw in enumerate(self.raw()):
            try:
                yield raw.decode()
            except UnicodeDecodeError:
                raise ValueError(_("text {number} of a list is not UTF-8", number=number)) from None


class GGUF(NamedTuple):
    """What a file says before its data."""

    settings: dict[str, Any]
    """Numbers, truth values, texts, arrays of numbers, and `Texts`."""
    tensors: dict[str, StoredBlocks]


def open_gguf(path: Path) -> GGUF:
    """The settings and tensors of a GGUF file; ModelError says in one line why it can't be read.

    Nothing is mapped: a tensor's bytes are read when its numbers are, so that a file cut short meanwhile is an error.
    """
    with open_regular(path) as file:
        try:
            return _read(_Header(file), path)
        except ModelError:
            raise
        except ValueError as error:
            kind = None if isinstance(error, _DamagedError) else kind_of_file(file)
            raise ModelError(
                _("{path} is {what}", path=shown(path), what=kind.said()) if kind else f"{shown(path)} {error}"
            ) from error
        except OSError as error:
            refuse(path, error)


class _DamagedError(ValueError):
    """It is a GGUF file, and something in it can't be."""


class _Header:
    """The beginning of a file, read on as far as it is needed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.content = bytearray()
        self.place = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self.need(self.place + count)
        start, self.place = self.place, self.place + count
        return bytes(self.content[start : self.place])

    def need(self, end: int) -> None:
        """Reads on until there are so many bytes."""
        if end <= len(self.content):
            return
        if end > LARGEST_HEADER < self.size:
            raise _DamagedError(_("is damaged: its header has more than {limit} MB", limit=LARGEST_HEADER >> 20))
        if end <= self.size:
            self.content += self._file.read(max(end - len(self.content), PIECE))
        if end > len(self.content):
            raise _DamagedError(_("is cut off: it ends inside its header, after {size} bytes", size=self.size))

    def number(self, kind: str) -> Any:
        """One number."""
        return np.frombuffer(self.take(np.dtype(kind).itemsize), kind)[0].item()

    def text(self, longest: int, what: Callable[[], str]) -> str:
        """A text of at most so many bytes."""
        length = self.number("<u8")
        if length > longest:
            raise _DamagedError(_("is damaged: {what} has {count} bytes", what=what(), count=length))
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise _DamagedError(_("is damaged: {what} is not UTF-8", what=what())) from None

    def texts(self, count: int) -> Texts:
        """So many texts, passed over."""
        start = place = self.place
        unpack = struct.Struct("<Q").unpack_from
        for _each in range(count):
            if place + 8 > len(self.content):
                self.need(place + 8)
            place += 8 + unpack(self.content, place)[0]
        self.need(place)
        self.place = place
        return Texts(bytes(self.content[start:place]), count)


def _read(header: _Header, path: Path) -> GGUF:
    if header.size < len(MAGIC) or header.take(len(MAGIC)) != MAGIC:
        raise ValueError(_("is not a GGUF file"))
    said = header.take(4)
    version = int.from_bytes(said, "little")
    if version not in VERSIONS:
        if int.from_bytes(said, "big") in VERSIONS:
            raise _DamagedError(_("is a big-endian GGUF file, which is not supported"))
        raise _DamagedError(_("is a GGUF file of version {version}; versions 2 and 3 can be read", version=version))
    tensors, settings = header.number("<u8"), header.number("<u8")
    if tensors > MOST_TENSORS:
        raise _DamagedError(_("is damaged: its header names more than {count} tensors", count=MOST_TENSORS))
    if settings > MOST_SETTINGS:
        raise _DamagedError(_("is damaged: its header names more than {count} settings", count=MOST_SETTINGS))
    found = _settings(header, settings)
    entries = [_tensor(header) for _each in range(tensors)]
    alignment = found.get("general.alignment", 32)
    if type(alignment) is not int or not 8 <= alignment <= 1 << 16 or alignment & (alignment - 1):
        raise _DamagedError(_("is damaged: its alignment is {value}", value=shown(alignment, 80)))
    start = -(-header.place // alignment) * alignment
    return GGUF(found, _placed(entries, start, header.size - start, alignment, path))


def _settings(header: _Header, count: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    room = MOST_VALUES
    for _each in range(count):
        name = header.text(LONGEST_NAME, lambda: _("the name of a setting"))
        if name in found:
            raise _DamagedError(_("is damaged: the setting {name} is there twice", name=shown(name, 80)))
        kind = header.number("<u4")
        if kind == LIST:
            found[name] = _list(header, name, room)
            room -= len(found[name])
        else:
            found[name] = _value(header, name, kind)
    return found


def _value(header: _Header, name: str, kind: int) -> Any:
    if kind in NUMBERS:
        return header.number(NUMBERS[kind])
    if kind == TEXT:
        return header.text(LARGEST_HEADER, lambda: _("the setting {name}", name=shown(name, 80)))
    if kind == TRUTH:
        value = header.take(1)[0]
        if value > 1:
            raise _DamagedError(_("is damaged: the setting {name} is neither true nor false", name=shown(name, 80)))
        return bool(value)
    raise _DamagedError(
        _("is damaged: the setting {name} is of an unknown type, {kind}", name=shown(name, 80), kind=kind)
    )


def _list(header: _Header, name: str, room: int) -> Array | Texts:
    kind, count = header.number("<u4"), header.number("<u8")
    if count > room:
        raise _DamagedError(_("is damaged: its lists hold more than {count} values", count=MOST_VALUES))
    if kind == TEXT:
        return header.texts(count)
    if kind == LIST:
        raise _DamagedError(_("has a list of lists, {name}, which is not supported", name=shown(name, 80)))
    if kind not in NUMBERS and kind != TRUTH:
        raise _DamagedError(
            _("is damaged: the setting {name} is of an unknown type, {kind}", name=shown(name, 80), kind=kind)
        )
    number = np.dtype(NUMBERS.get(kind, "u1"))
    return np.frombuffer(header.take(count * number.itemsize), number)


class _Entry(NamedTuple):
    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


def _tensor(header: _Header) -> _Entry:
    name = header.text(LONGEST_TENSOR_NAME, lambda: _("the name of a tensor"))
    axes = header.number("<u4")
    if axes > MOST_AXES:
        raise _DamagedError(_("is damaged: {name} has {count} axes", name=shown(name, 80), count=axes))
    lengths = struct.unpack(f"<{axes}Q", header.take(8 * axes))
    if math.prod(max(1, length) for length in lengths) > LARGEST_TENSOR:
        raise _DamagedError(_("is damaged: the shape of {name} is too large", name=shown(name, 80)))
    kind, offset = struct.unpack("<IQ", header.take(12))
    return _Entry(name, lengths[::-1], kind, offset)  # the file names the axis first whose numbers are neighbours


def _placed(entries: list[_Entry], start: int, room: int, alignment: int, path: Path) -> dict[str, StoredBlocks]:
    """The tensors in the order of their data, checked against each other and the `room` bytes of data that there are."""
    tensors: dict[str, StoredBlocks] = {}
    end = 0
    for name, shape, number, offset in sorted(entries, key=lambda entry: entry.offset):
        if name in tensors:
            raise _DamagedError(_("is damaged: the tensor {name} is there twice", name=shown(name, 80)))
        kind = TYPES.get(number)
        if kind is None:
            what = _("is damaged: {name} is of an unknown type, {kind}", name=shown(name, 80), kind=number)
            raise _DamagedError(what)
        size, rest = kind.bytes_of(shape)
        if rest:
            what = _(
                "is damaged: a row of {name} is not whole blocks of {count}", name=shown(name, 80), count=kind.weights
            )
            raise _DamagedError(what)
        if offset % alignment:
            raise _DamagedError(_("is damaged: the data of {name} is not aligned", name=shown(name, 80)))
        if offset < end:
            raise _DamagedError(_("is damaged: the data of {name} overlaps the tensor before it", name=shown(name, 80)))
        end = offset + size
        if end > max(0, room):
            raise _DamagedError(
                _(
                    "is cut off: its tensors take {position} bytes, but only {room} are there; download it again",
                    position=end,
                    room=max(0, room),
                )
            )
        tensors[name] = StoredBlocks(kind, shape, path, start + offset)
    return tensors
