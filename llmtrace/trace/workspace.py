"""Memory for results: for what stays, and for what is computed piece by piece, each where the one before it lay."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array

ALIGNMENT = 64

LARGE = 1 << 25
"""From so many bytes on, memory that was written before is worth having: fresh pages take longer than the arithmetic."""


def alone(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Like `numpy.empty`, in memory that no other array lies in."""
    if math.prod(shape) * np.dtype(dtype).itemsize < LARGE:
        return np.empty(shape, dtype)
    arena = _kernels.Arena()
    out = arena.empty(shape, dtype)
    arena.close()
    return out


class Memory(Protocol):
    """Where results are written: `llmtrace._kernels.Arena`, or `llmtrace.trace.scratch.Scratch`."""

    @property
    def is_open(self) -> bool:
        """Whether the run is not over."""

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Like `numpy.empty`."""

    def close(self) -> None:
        """Nothing more is asked for."""


class Cache(Protocol):
    """What a Run needs of `llmtrace.models.KVCache`."""

    @property
    def length(self) -> int:
        """How many tokens it holds."""

    def extend(self, name: str, new: Array, queue: _kernels.Queue | None) -> Array:
        """Writes new keys or values behind those, and returns all. With a queue they may be still to come, and nobody may look at
        them: they are written by what waits there, too (`llmtrace._kernels.append`).
        """

    def keep(self, name: str, new: Array) -> None:
        """Keeps numbers that every later token needs as they are."""

    def kept(self, name: str) -> Array:
        """Those numbers."""


class Workspace:
    """One stretch of memory, as large as the largest piece needed; the largest should come first."""

    def __init__(self) -> None:
        self._all: Array = np.empty(0, np.float64)
        self._asked = 0

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Like `numpy.empty`; what it gives is overwritten after the next `again`."""
        start, size = self._asked, math.prod(shape) * np.dtype(dtype).itemsize
        self._asked += -(-size // ALIGNMENT) * ALIGNMENT
        if self._asked > self._all.nbytes:
            return np.empty(shape, dtype)
        out: Array = self._all.view(np.uint8)[start : start + size].view(dtype).reshape(shape)
        return out

    def again(self) -> None:
        """All that was given out is needed no more."""
        if self._asked > self._all.nbytes:
            del self._all  # before its successor is there
            self._all = _kernels.aligned_empty(self._asked // 8, np.float64)
        self._asked = 0
