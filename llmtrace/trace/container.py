"""Trace files: safetensors, with the steps as JSON in the header. docs/trace-file.md says every byte.

The file is written beside its place, synced, and renamed, so that a crash leaves the old file or the new one. It is read
through a memory map; what is read is checked against its SHA-256, 1 MiB at a time, so that one number costs little.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError, TraceFileError
from llmtrace.i18n import N_, _, listed
from llmtrace.storage import LENGTH, StoredTensor, open_tensors, write_whole
from llmtrace.storage.files import parse_json, reason
from llmtrace.text import shown

VERSION = 2
MOST_VALUES = 1 << 20
"""So many things its header says at most: a vocabulary has some hundred thousand texts."""
"""Version 1, in which ops and settings had other names, is read too: `llmtrace.trace.version_1`."""
PIECE = 1 << 20
"""The bytes that one SHA-256 covers."""
AGAIN = N_("write the trace again: llmtrace trace TEXT -o FILE.trace")
"""What helps where a file is not whole: nobody has downloaded it."""
SEAL = "seal"
WEIGHT = "weight:"
DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def pieces(array: Array) -> Iterator[memoryview]:
    """The bytes of an array in order of memory, little-endian, PIECE at a time; every NaN the same NaN."""
    flat = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1)
    count = PIECE // flat.itemsize
    for start in range(0, flat.size, count):
        part = flat[start : start + count]
        if part.dtype.kind == "f" and np.isnan(part).any():  # processors differ in the sign and payload of theirs
            part = np.where(np.isnan(part), np.array(np.nan, part.dtype), part)
        yield part.view(np.uint8).data


def write(path: Path, arrays: Mapping[str, Array], content: Mapping[str, Any]) -> None:
    """Writes tensors and the JSON content as one sealed file, whole or not at all; TraceFileError says why it can't be."""
    digests = {name: [hashlib.sha256(piece).hexdigest() for piece in pieces(array)] for name, array in arrays.items()}
    entries: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        entries[name] = {
            "dtype": NAMES[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    entries[SEAL] = {"dtype": "U8", "shape": [32], "data_offsets": [offset, offset + 32]}
    note = json.dumps({"version": VERSION, **content, "sha256": digests}, ensure_ascii=True, allow_nan=False)
    header = json.dumps({"__metadata__": {"llmtrace": note}, **entries}, separators=(",", ":")).encode()
    header += b" " * (-(LENGTH + len(header)) % 64)  # the numbers begin at a multiple of 64 bytes
    head = len(header).to_bytes(LENGTH, "little") + header
    seal = hashlib.sha256(head).digest()

    def parts() -> Iterator[bytes | memoryview]:
        yield head
        for array in arrays.values():
            yield from pieces(array)
        yield seal

    write_whole(path, parts(), TraceFileError)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_trace(path: Path) -> bool:
    """Whether a file is, or by its name wants to be, a trace: that it is in order, only `TraceFile` finds out."""
    if not path.is_file():
        return False
    try:
        return path.suffix == ".trace" or "llmtrace" in open_tensors(path)[1]
    except ModelError:
        return False


class TraceFile:
    """An open trace file: its content, and its tensors, mapped into memory and checked when they are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tensors, metadata = open_tensors(path, AGAIN)
            if "llmtrace" not in metadata:
                raise TraceFileError(_("{path} is a safetensors file, but not a trace", path=shown(path)))
            self._check_seal()
        except ModelError as error:  # what reading any safetensors file raises
            raise TraceFileError(str(error)) from error
        except OSError as error:
            raise TraceFileError(_("{path} can't be read: {why}", path=shown(path), why=reason(error))) from error
        self.content = self._content(metadata["llmtrace"])
        self._digests = self._all_digests()
        self._checked: dict[str, set[int]] = {}

    def _content(self, note: str) -> dict[str, Any]:
        """What the file says of itself, of a version that is known."""
        try:
            content = parse_json(note.encode(), MOST_VALUES, halves=True)
        except ValueError as error:
            raise self.wrong(_("it is not valid JSON: {why}", why=shown(error))) from error
        version = content.get("version") if isinstance(content, dict) else None
        if type(version) is not int:
            raise self.wrong(_("it has no version"))
        if not 1 <= version <= VERSION:
            raise TraceFileError(
                _(
                    "{path} has version {found} of the trace format; this llmtrace reads versions up to {known}",
                    path=shown(self.path),
                    found=shown(hex(version) if version.bit_length() > 64 else version),
                    known=VERSION,
                )
            )
        return content

    def _all_digests(self) -> dict[str, list[str]]:
        """The SHA-256 of every piece of every tensor, as many as there must be."""
        digests = self.content.get("sha256")
        if not isinstance(digests, dict) or set(digests) != set(self.names()):
            raise self.wrong(_("sha256 does not name the tensors that are there"))
        for name in self.names():
            stored, found = self._tensors[name], digests[name]
            if stored.dtype not in DTYPES:
                raise self.wrong(
                    _(
                        "{name} is {dtype}, not one of {known}",
                        name=shown(name),
                        dtype=shown(stored.dtype),
                        known=listed(DTYPES),
                    )
                )
            count = math.ceil(stored.data.size / PIECE)
            if not isinstance(found, list) or len(found) != count or not all(_is_digest(text) for text in found):
                raise self.wrong(_("{name} has not the checksums that it needs", name=shown(name)))
        return digests

    def wrong(self, why: str) -> TraceFileError:
        """The error that the file, though it can be read, is no trace."""
        return TraceFileError(_("{path} does not say what a trace must say: {why}", path=shown(self.path), why=why))

    def names(self) -> list[str]:
        """The names of all tensors, in the order of the file."""
        return list(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, without reading it."""
        return self._tensors[name].shape

    def dtype(self, name: str) -> str:
        """The NumPy name of a tensor's type, without reading it."""
        return np.dtype(DTYPES[self._tensors[name].dtype]).newbyteorder("=").name

    def array(self, name: str) -> Array:
        """A whole tensor, checked whole: a read-only view of the mapped file."""
        stored = self._tensors[name]
        for piece in range(math.ceil(stored.data.size / PIECE)):
            self._check(name, stored, piece)
        return self._view(stored)

    def elements(self, name: str, index: tuple[Any, ...]) -> Array:
        """Some elements of a tensor, of which only the pieces that they lie in are read and checked."""
        stored = self._tensors[name]
        view = self._view(stored)
        places = np.ravel_multi_index(index, stored.shape) * view.itemsize // PIECE
        for piece in np.unique(places).tolist():
            self._check(name, stored, piece)
        return np.array(view[index])

    def _view(self, stored: StoredTensor) -> Array:
        view = stored.data.view(DTYPES[stored.dtype]).reshape(stored.shape)
        view.flags.writeable = False
        return view

    def _check(self, name: str, stored: StoredTensor, piece: int) -> None:
        checked = self._checked.setdefault(name, set())
        if piece in checked:
            return
        data = stored.data[piece * PIECE : (piece + 1) * PIECE]
        if hashlib.sha256(data.data).hexdigest() != self._digests[name][piece]:
            raise TraceFileError(
                _(
                    "{path} is damaged: the numbers of {name} are not the ones that were written",
                    path=shown(self.path),
                    name=shown(name),
                )
            )
        checked.add(piece)

    def _check_seal(self) -> None:
        seal = self._tensors.pop(SEAL, None)  # no tensor of the trace
        with self.path.open("rb") as file:
            start = file.read(LENGTH)
            head = start + file.read(int.from_bytes(start, "little"))
        if seal is None or hashlib.sha256(head).digest() != bytes(seal.data):
            raise TraceFileError(
                _("{path} is damaged: its header is not the one that was written", path=shown(self.path))
            )
