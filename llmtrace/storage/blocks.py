"""Tensors in a GGUF file, or another whose tensors lie where it says: their bytes are read when they are needed."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from llmtrace._kernels import WIDTHS
from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.storage.quantised import PIECE, TYPES, Kind
from llmtrace.storage.stored import WIDENED, OtherTypeError
from llmtrace.text import shown

READABLE = tuple(kind.name for kind in TYPES.values() if kind.parts or kind.name in WIDENED)


class StoredBlocks(NamedTuple):
    """A tensor that lies in a GGUF file."""

    kind: Kind
    shape: tuple[int, ...]
    path: Path
    begin: int
    """Where its bytes begin in the file."""

    def read(self) -> Array:
        """Its numbers as float32, read-only; ValueError says why they can't be read."""
        kind = self.kind
        if kind.parts is None and kind.name not in WIDENED:
            raise OtherTypeError(kind.name, READABLE)
        data = self._bytes(self.begin, kind.bytes_of(self.shape)[0])
        if kind.parts is None:
            numbers: Array = WIDENED[kind.name](data).reshape(self.shape)
        else:
            numbers = np.empty(self.shape, np.float32)
            blocks, wide = data.reshape(-1, kind.size), numbers.reshape(-1, kind.weights)
            step = max(1, PIECE // kind.weights)
            with np.errstate(invalid="ignore"):  # a scale that is not finite is found with the weights
                for start in range(0, len(blocks), step):
                    parts = kind.parts(blocks[start : start + step])
                    parts.weights(wide[start : start + step].reshape(parts.q.shape))
        numbers.flags.writeable = False
        return numbers

    def kept(self) -> Array | StoredMatrix:
        """Its numbers as they stay in memory: a matrix as wide as it is stored, if that can be multiplied by."""
        if len(self.shape) != 2 or self.kind.name not in WIDTHS:
            return self.read()
        data = self._bytes(self.begin, self.kind.bytes_of(self.shape)[0])
        return StoredMatrix(self.kind.name, data.reshape(self.shape[0], -1, self.kind.size))

    def memory(self) -> int:
        """How many bytes of memory `kept` takes."""
        is_narrow = len(self.shape) == 2 and self.kind.name in WIDTHS
        return self.kind.bytes_of(self.shape)[0] if is_narrow else 4 * math.prod(self.shape)

    def _bytes(self, begin: int, count: int) -> Array:
        with open_regular(self.path) as file:
            file.seek(begin)
            found = file.read(count)
        if len(found) < count:
            raise ModelError(_("{path} has become shorter since it was opened", path=shown(os.fsdecode(self.path))))
        return np.frombuffer(found, np.uint8)
