"""A matrix that stays in memory as its file has it: two bytes a number, or blocks of a few bits a weight.

What computes with it widens it where it is used (csrc/kernels/widen.h), to the bits that `StoredTensor.read` and
`StoredBlocks.read` give.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array
from llmtrace.storage.quantised import KINDS, Origin

FEW = 64
"""Of a matrix with so many times more columns than are asked for, only these are widened."""


class StoredMatrix:
    """Rows of blocks, each of some weights that lie side by side in a row; `turned`: rows and columns are the other way round.

    The blocks [row, block, byte] are given up for a packed copy when the matrix is first multiplied by.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, kind: str, blocks: Array, turned: bool = False) -> None:
        self.kind = kind
        self.turned = turned
        rows, count, _bytes = blocks.shape
        lengths = (rows, count * KINDS[kind].weights)
        self.shape: tuple[int, ...] = lengths[::-1] if turned else lengths
        self._blocks: Array | None = blocks
        self._packed: tuple[_kernels.PackedMatrix, bool] | None = None
        self._numbers: Any = lambda: None

    @property
    def T(self) -> StoredMatrix:  # noqa: N802 - NumPy's name
        """The matrix with its axes the other way round."""
        return StoredMatrix(self.kind, self.blocks(), not self.turned)

    def columns(self, places: slice) -> StoredMatrix | Array:
        """Some columns; as float32 where they are not whole blocks."""
        if self.turned:
            return StoredMatrix(self.kind, self.blocks()[places], True)
        if self._single:
            return StoredMatrix(self.kind, self.blocks()[:, places])
        return self.read()[:, places]

    def blocks(self) -> Array:
        """The bytes in the file's order."""
        blocks = self._blocks
        if blocks is not None:
            return blocks
        packed, along = self._any_packed()
        blocks = _kernels.unpacked(packed)
        return blocks if along else blocks.swapaxes(0, 1)

    def packed(self, transposed: bool = False) -> _kernels.PackedMatrix | None:
        """The matrix as `matmul` takes it, [in, out] or [out, in] where transposed; None where it would have to be float32: for
        quantised weights, sums must run along blocks, and there is only one packed copy.
        """
        along = self.turned is not transposed
        if self._packed is None and (along or self._single):
            blocks = self.blocks()
            self._packed = _kernels.pack_stored(blocks if along else blocks.swapaxes(0, 1), self.kind), along
            self._blocks = None
            _kernels.give_back(blocks)
        return self._packed[0] if self._packed and self._packed[1] is along else None

    @property
    def packing_bytes(self) -> int:
        """How many bytes a packed copy will take that there is not yet."""
        return 0 if self._blocks is None else self._blocks.nbytes

    @property
    def _single(self) -> bool:
        """Whether a block is one number: then sums may run either way."""
        return KINDS[self.kind].weights == 1

    def _any_packed(self) -> tuple[_kernels.PackedMatrix, bool]:
        """A packed copy, and whether its sums run along the rows of blocks; one that is only for now where it is not known yet
        which way the matrix will be multiplied.
        """
        if self._packed is None and self._single:
            return _kernels.pack_stored(self.blocks(), self.kind), True
        self.packed(not self.turned)
        assert self._packed is not None
        return self._packed

    def read(self) -> Array:
        """All numbers as float32, read-only; nobody holds them afterwards."""
        numbers: Array | None = self._numbers()
        if numbers is None:
            packed, along = self._any_packed()
            numbers = _kernels.widened(packed)
            if along is self.turned:
                numbers = numbers.T
            numbers.flags.writeable = False
            self._numbers = weakref.ref(numbers)
        return numbers

    def elements(self, index: tuple[Any, ...]) -> Array:
        """Some numbers, as `read()[index]`."""
        if self._packed is None and self._single:
            own = self.blocks()[index[::-1] if self.turned else index]
            few = _kernels.pack_stored(np.ascontiguousarray(own).reshape(-1, 1, own.shape[-1]), self.kind)
            return _kernels.widened(few).reshape(own.shape[:-1])
        packed, along = self._any_packed()
        axis = 0 if along is not self.turned else 1
        places = np.arange(self.shape[axis])[index[axis]]
        asked, where = np.unique(places, return_inverse=True)
        if self._numbers() is not None or asked.size * FEW > self.shape[axis]:
            return self.read()[index]
        rows = np.empty((asked.size, packed.depth), np.float32)
        _kernels.widened_columns(packed, asked, rows)
        other = index[1 - axis]
        return np.array(rows[where.reshape(places.shape), other])

    def origin(self, place: tuple[int, ...]) -> Origin | None:
        """What one quantised weight was made of."""
        kind = KINDS[self.kind]
        if not self.is_quantised:
            return None
        row, column = place[::-1] if self.turned else place
        packed = self._packed
        blocks = self.blocks()[row] if packed is None else _kernels.unpacked_column(packed[0], row)
        return kind.origin(blocks[column // kind.weights], column % kind.weights)

    @property
    def is_quantised(self) -> bool:
        """Whether its numbers are made of others."""
        return KINDS[self.kind].parts is not None

    def is_finite(self) -> bool:
        """Whether every number is."""
        return KINDS[self.kind].is_finite(self.blocks())

    def same_as(self, other: StoredMatrix) -> bool:
        """Whether the stored bytes are the same, and so every number."""
        alike = (self.kind, self.turned, self.shape) == (other.kind, other.turned, other.shape)
        return alike and np.array_equal(self.blocks(), other.blocks())

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredMatrix, (self.kind, np.ascontiguousarray(self.blocks()), self.turned)
