"""Trace files: safetensors, with the steps as JSON in the header. docs/trace-file.md says every byte.

The file is written beside its place, synced, and renamed, so that a crash leaves the old file or the new one. It is read
through a memory map; what is read is checked against its SHA-256, 1 MiB at a time, so that one number costs little.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import ModelError, TraceFileError
from llmtrace.ops.op import Array
from llmtrace.storage import LENGTH, StoredTensor, open_tensors, shown
from llmtrace.words import _

VERSION = 1
PIECE = 1 << 20
"""The bytes that one SHA-256 covers."""
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

    write_whole(path, parts())


def write_whole(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Writes a file under a temporary name beside its place, syncs it, and renames it; what fails leaves nothing behind."""
    temporary = ""
    try:
        remove_leftovers(path)
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name[:100]}.{os.getpid()}.", suffix=".part", dir=path.parent
        )
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # as an ordinary new file; mkstemp makes private ones
        os.replace(temporary, path)
    except BaseException as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            raise TraceFileError(_("{path} can't be written: {why}").format(path=shown(path), why=why)) from error
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name, too, survives a power cut
    except OSError:
        pass  # some file systems can't sync a directory; the file itself is safe
    finally:
        os.close(directory)


def remove_leftovers(path: Path) -> None:
    """Removes what a writer of this very file left behind when it was killed."""
    for leftover in path.parent.glob(f".{glob.escape(path.name[:100])}.*.part"):
        writer = leftover.name.split(".")[-3]
        if writer.isdigit() and not _alive(int(writer)):
            leftover.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


class TraceFile:
    """An open trace file: its content, and its tensors, mapped into memory and checked when they are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tensors, metadata = open_tensors(path)
        except ModelError as error:  # what reading any safetensors file raises
            raise TraceFileError(str(error)) from error
        if "llmtrace" not in metadata:
            raise TraceFileError(_("{path} is a safetensors file, but not a trace").format(path=shown(path)))
        self._check_seal()
        self.content: dict[str, Any] = json.loads(metadata["llmtrace"])
        if self.content.get("version") != VERSION:
            found = shown(self.content.get("version"))
            raise TraceFileError(
                _("{path} has version {found} of the trace format; this llmtrace reads version {known}").format(
                    path=shown(path), found=found, known=VERSION
                )
            )
        self._checked: dict[str, set[int]] = {}

    def names(self) -> list[str]:
        """The names of all tensors, in the order of the file."""
        return [name for name in self._tensors if name != SEAL]

    def __contains__(self, name: object) -> bool:
        return name in self._tensors and name != SEAL

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
        digests = self.content["sha256"].get(name, [])
        if piece >= len(digests) or hashlib.sha256(data.data).hexdigest() != digests[piece]:
            raise TraceFileError(
                _("{path} is damaged: the numbers of {name} are not the ones that were written").format(
                    path=shown(self.path), name=shown(name)
                )
            )
        checked.add(piece)

    def _check_seal(self) -> None:
        seal = self._tensors.get(SEAL)
        with self.path.open("rb") as file:
            start = file.read(LENGTH)
            head = start + file.read(int.from_bytes(start, "little"))
        if seal is None or hashlib.sha256(head).digest() != bytes(seal.data):
            raise TraceFileError(
                _("{path} is damaged: its header is not the one that was written").format(path=shown(self.path))
            )
