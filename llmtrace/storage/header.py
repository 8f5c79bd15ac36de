"""The header of a safetensors file, read with suspicion: it decides where numbers lie, and anyone can write one.

A file is 8 bytes (the length of the header, little-endian), the header (JSON: name → type, shape, begin and end of the
data), and the data. https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from llmtrace.i18n import _
from llmtrace.storage.files import parse_json
from llmtrace.text import shown

LENGTH = 8
LONGEST_OF_FORMAT = 100_000_000
LARGEST_HEADER = 32 << 20
"""The format allows more; the headers of the largest models have a few megabytes, and those of traces."""
MOST_TENSORS = 50_000
"""So many tensors are far more than one file of the largest models has; each takes hundreds of bytes of memory."""
LARGEST_TENSOR = 1 << 60
BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}


class CutOffError(ValueError):
    """The end of a file is missing."""


class Entry(NamedTuple):
    """Where a tensor lies: `begin` and `end` count bytes from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Header(NamedTuple):
    """All tensors of a file, in the order of their data, and the file's own notes."""

    entries: dict[str, Entry]
    metadata: dict[str, str]


def header_length(head: bytes, size: int) -> int:
    """How long the header is, by the first bytes of a file of `size` bytes; ValueError if that can't be."""
    if size <= LENGTH:
        raise CutOffError(_("is cut off: it has only {size} bytes", size=size))
    length = int.from_bytes(head[:LENGTH], "little")
    if length > LONGEST_OF_FORMAT or head[LENGTH : LENGTH + 1] != b"{":
        raise ValueError(_("is not a safetensors file"))
    if length > size - LENGTH:
        raise CutOffError(
            _("is cut off: its header has {length} bytes, but only {room} are there", length=length, room=size - LENGTH)
        )
    if length > LARGEST_HEADER:
        raise ValueError(_("is damaged: its header has more than {limit} MB", limit=LARGEST_HEADER >> 20))
    return length


def parse_header(text: bytes, room: int) -> Header:
    """The header, checked against the `room` bytes of data that follow it; ValueError says what is wrong."""
    if text.count(b'"data_offsets"') > MOST_TENSORS:
        raise ValueError(_("is damaged: its header names more than {count} tensors", count=MOST_TENSORS))
    try:
        found = parse_json(text, 16 * MOST_TENSORS)
    except ValueError as error:
        raise ValueError(_("is damaged: its header is not valid JSON: {why}", why=error)) from error
    if not isinstance(found, dict):
        raise ValueError(_("is damaged: its header is not a JSON object"))
    metadata = found.pop("__metadata__", None)
    metadata = {} if metadata is None else metadata
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError(_("is damaged: its __metadata__ does not map names to texts"))
    entries = sorted(((name, _entry(name, value)) for name, value in found.items()), key=lambda pair: pair[1][2:])
    position = 0
    for name, entry in entries:  # without holes or overlaps: nothing is hidden between tensors, no byte is read as two
        if entry.begin != position:
            overlaps = entry.begin < position
            what = (
                _("is damaged: the data of {name} overlaps the tensor before it")
                if overlaps
                else _("is damaged: the data of {name} leaves a hole before it")
            )
            raise ValueError(what.format(name=shown(name)))
        position = entry.end
    if position > room:
        raise CutOffError(
            _("is cut off: its tensors take {position} bytes, but only {room} are there", position=position, room=room)
        )
    if position < room:
        raise ValueError(_("is damaged: {count} bytes at its end belong to no tensor", count=room - position))
    return Header(dict(entries), metadata)


def _entry(name: str, value: Any) -> Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(_("is damaged: {name} is not described by dtype, shape and data_offsets", name=shown(name)))
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str):
        raise ValueError(_("is damaged: the dtype of {name} is not a text", name=shown(name)))
    if not _whole(shape) or len(shape) > 16:
        raise ValueError(_("is damaged: the shape of {name} is not a short list of whole numbers", name=shown(name)))
    if not _whole(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ValueError(
            _("is damaged: the data_offsets of {name} are not where its data begins and ends", name=shown(name))
        )
    # An axis of length 0 counts as 1 here: NumPy refuses a shape whose other axes are beyond all bounds even so.
    if math.prod(max(1, length) for length in shape) > LARGEST_TENSOR:
        raise ValueError(_("is damaged: the shape of {name} is too large", name=shown(name)))
    begin, end = offsets
    if dtype in BITS and math.prod(shape) * BITS[dtype] != 8 * (end - begin):
        size = math.prod(shape) * BITS[dtype] // 8
        raise ValueError(
            _(
                "is damaged: {name} takes {size} bytes by its shape, {place} by its place",
                name=shown(name),
                size=size,
                place=end - begin,
            )
        )
    return Entry(dtype, tuple(shape), begin, end)


def _whole(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int and 0 <= number <= LARGEST_TENSOR for number in value)
