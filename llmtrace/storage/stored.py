"""Tensors in a safetensors file: memory-mapped, looked at only where they are read, widened to float32."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np

from llmtrace._kernels import WIDTHS
from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.storage.files import open_regular, refuse
from llmtrace.storage.foreign import DOWNLOAD, HEAD, kind_of_file
from llmtrace.storage.header import LENGTH, CutOffError, Header, header_length, parse_header
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.text import shown

PIECE = 1 << 20
"""So many numbers are checked at a time: what is made of them on the way stays in the processor's cache."""


class Stored(Protocol):
    """A tensor that lies in a file, and is read when its numbers are needed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""

    def read(self) -> Array:
        """Its numbers as float32, read-only; ValueError says why there are none."""

    def kept(self) -> Array | StoredMatrix:
        """Its numbers as they stay in memory: a matrix as wide as it is stored, if that can be multiplied by."""

    def memory(self) -> int:
        """How many bytes of memory `kept` takes; none where the file itself is mapped."""


class Transposed(NamedTuple):
    """A stored tensor with its two axes the other way round."""

    stored: Stored

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.stored.shape[::-1]

    def read(self) -> Array:
        """Its numbers, a view of those of the stored one."""
        return self.stored.read().T

    def kept(self) -> Array | StoredMatrix:
        """Its numbers as they stay in memory."""
        return self.stored.kept().T

    def memory(self) -> int:
        """How many bytes of memory `kept` takes."""
        return self.stored.memory()


class OtherTypeError(ValueError):
    """A tensor is stored as what can't be read."""

    def __init__(self, kind: str, readable: Iterable[str]) -> None:
        self.kind, self.readable = kind, (*readable,)
        super().__init__(
            _("is {dtype}, but only {readable} can be read", dtype=shown(kind), readable=listed(self.readable))
        )


class StoredTensor(NamedTuple):
    """A tensor that lies in a safetensors file."""

    dtype: str
    shape: tuple[int, ...]
    data: Array
    """Its bytes, a view of the mapped file."""

    def read(self) -> Array:
        """Its numbers as float32, read-only; the file itself where it holds them so. ValueError says why it can't be.

        F16 and BF16 are widened, which changes no number. F64 is narrowed only if that changes none either.
        """
        if self.dtype not in WIDENED:
            raise OtherTypeError(self.dtype, WIDENED)
        numbers = WIDENED[self.dtype](self.data)
        if not numbers.flags.aligned:  # old files pad nothing; the kernels want numbers at multiples of their size
            numbers = numbers.copy()
        numbers = numbers.reshape(self.shape)
        numbers.flags.writeable = False
        return numbers

    def kept(self) -> Array | StoredMatrix:
        """Its numbers as they stay in memory: a matrix of F16 or BF16 as it is, a view of the mapped file."""
        if len(self.shape) != 2 or self.dtype not in WIDTHS:
            return self.read()
        return StoredMatrix(self.dtype, self.data.reshape(*self.shape, 2))

    def memory(self) -> int:
        """How many bytes of memory `kept` takes, beside the mapped file."""
        is_mapped = self.dtype == "F32" or (len(self.shape) == 2 and self.dtype in WIDTHS)
        return 0 if is_mapped else 4 * math.prod(self.shape)


def narrowed(numbers: Array) -> Array:
    """float64 as float32, if every number is one; ValueError names one that isn't."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        narrow = numbers.astype(np.float32)
    changed = (narrow != numbers) & ~np.isnan(numbers)
    if changed.any():
        number = numbers[changed][0]
        raise ValueError(
            _(
                "is F64 with numbers that float32 does not have, like {number}; convert it to F32 first",
                number=float(number),
            )
        )
    return narrow


def _upper_half(data: Array) -> Array:
    """BF16 is the upper half of a float32."""
    wide = data.view("<u2").astype(np.uint32)
    wide <<= np.uint32(16)
    return wide.view(np.float32)


WIDENED: dict[str, Callable[[Array], Array]] = {
    "F32": lambda data: data.view("<f4").astype(np.float32, copy=False),
    "F16": lambda data: data.view("<f2").astype(np.float32),
    "BF16": _upper_half,
    "F64": lambda data: narrowed(data.view("<f8")),
}
"""How the bytes of a tensor become float32 numbers, by what it is stored as. What is not here can't be read."""


def all_finite(numbers: Array) -> bool:
    """Whether there is neither NaN nor infinity among them; at the speed at which memory is read."""
    flat = numbers.ravel(order="K")
    return all(np.isfinite(flat[i : i + PIECE]).all() for i in range(0, flat.size, PIECE))


def open_tensors(path: Path, again: str = DOWNLOAD) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """The tensors of a safetensors file and its metadata; ModelError says in one line why it can't be read.

    again: what helps where the file is not whole.
    The arrays are views of the mapped file: writing into that file changes them; replacing it, as saving does, doesn't.
    """
    with open_regular(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            header, start = _read_header(file, path, size, again)
            mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except ModelError:
            raise
        except (OSError, ValueError) as error:  # ValueError: the file has become shorter meanwhile
            refuse(path, error)
    data = np.frombuffer(mapped, np.uint8)[start:]
    return {
        n: StoredTensor(e.dtype, e.shape, data[e.begin : e.end]) for n, e in header.entries.items()
    }, header.metadata


def _read_header(file: BinaryIO, path: Path, size: int, again: str) -> tuple[Header, int]:
    """The header and where the data starts."""
    head = file.read(HEAD)
    try:
        length = header_length(head, size)
        file.seek(LENGTH)
        return parse_header(file.read(length), size - LENGTH - length), LENGTH + length
    except ValueError as error:
        # A length and then a brace: safetensors after all, whatever is wrong with it.
        kind = None if head[LENGTH : LENGTH + 1] == b"{" else kind_of_file(file)
        why = f"{shown(path)} {error}"
        if kind:
            why = _("{path} is {what}", path=shown(path), what=kind.said(again))
        elif isinstance(error, CutOffError):
            why = _("{error}; {note}", error=why, note=_(again))
        raise ModelError(why) from error
