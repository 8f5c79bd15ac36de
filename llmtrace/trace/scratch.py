"""Numbers that lie in a file that memory maps: for traces that memory has no room for, but a disk has."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array
from llmtrace.errors import DoesNotFitError, TraceFileError
from llmtrace.i18n import _
from llmtrace.storage.files import reason
from llmtrace.text import shown

ALIGNMENT = 64
CHUNK = 1 << 26
"""Bytes that are reserved at once beyond those that were estimated."""
ZEROS = bytes(1 << 20)


class Scratch:
    """Gives out memory as an arena does, in a file of a folder. The file has no name, and is gone with the last of its arrays.

    Its bytes are reserved before they are mapped, so that a full disk is an error here and not the end of the process later.
    """

    def __init__(self, folder: str | os.PathLike[str], size: int) -> None:
        """size: how many bytes are expected to be asked for."""
        self._folder = Path(folder)
        self._next = max(size, 1)
        self._chunk, self._used = np.empty(0, np.uint8), 0
        self.is_open = True
        self.size = 0
        """How many bytes the file has."""
        try:
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="llmtrace-")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            text = _("no file can be made in {folder}: {why}", folder=shown(self._folder), why=reason(error))
            raise TraceFileError(text) from error

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Like `numpy.empty`."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if self._used + size > self._chunk.size:
            self._chunk, self._used = self._reserved(max(size, self._next)), 0
            self._next = CHUNK
        out: Array = self._chunk[self._used : self._used + size].view(dtype).reshape(shape)
        self._used += -(-size // ALIGNMENT) * ALIGNMENT
        return out

    def close(self) -> None:
        """Nothing more is asked for; the arrays stay."""
        self.is_open = False
        self._file.close()

    def _reserved(self, size: int) -> Array:
        size = -(-size // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        start = self.size
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file.fileno(), start, size)
            else:
                self._file.seek(start)
                for _first in range(0, size, len(ZEROS)):
                    self._file.write(ZEROS[: size - _first])
                self._file.flush()
            self.size += size
            return np.frombuffer(mmap.mmap(self._file.fileno(), size, offset=start), np.uint8)
        except OSError as error:
            text = _(
                "{folder} can't hold the numbers of the trace: {why}", folder=shown(self._folder), why=reason(error)
            )
            raise DoesNotFitError(text) from error
