"""Tensors of a GGUF file: numbers of several widths, and quantised ones, a few bits each in blocks with a scale.

A weight of a block is `scale × q`, or `scale × q + minimum`: one product and one sum, both rounded to float32, as llama.cpp
does it. https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.storage.files import open_regular
from llmtrace.storage.stored import WIDENED
from llmtrace.text import shown

PIECE = 1 << 15
"""So many weights are widened at a time: they stay in the processor's cache until they are finished."""
K_WEIGHTS = 256
"""The weights of one block of a K type."""


class Parts(NamedTuple):
    """The weights of blocks in groups: what each is made of."""

    scale: Array
    """[block, group] float32."""
    q: Array
    """[block, group, weight], whole numbers."""
    minimum: Array | None = None
    """[block, group] float32; None where nothing is added."""

    def weights(self, out: Array) -> None:
        """scale × q + minimum, written to `out` [block, group, weight]."""
        np.multiply(self.q, self.scale[..., None], out=out, dtype=np.float32, casting="unsafe")
        if self.minimum is not None:
            out += self.minimum[..., None]


class Kind(NamedTuple):
    """One way in which numbers are stored."""

    name: str
    weights: int = 1
    """Weights of a block."""
    size: int = 1
    """Bytes of a block."""
    parts: Callable[[Array], Parts] | None = None
    """What the weights of blocks [block, byte] are made of; None where they are not quantised, or not supported."""

    def bytes_of(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """How many bytes a tensor takes, and how many weights of a row are left over when it is cut into blocks."""
        row = shape[-1] if shape else 1
        return math.prod(shape) // self.weights * self.size, row % self.weights


class Origin(NamedTuple):
    """What one quantised weight was made of, each a float32 number."""

    kind: str
    scale: Array
    q: Array
    minimum: Array | None


class Dequantised(np.ndarray):
    """The memory of weights that were dequantised. Whatever view is made of it has it as its `base`, for NumPy follows views to
    what owns the memory: so every weight leads back to the file.
    """

    stored: StoredBlocks


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
            raise ValueError(
                _("is {dtype}, but only {readable} can be read", dtype=shown(kind.name), readable=listed(READABLE))
            )
        data = self._bytes(self.begin, kind.bytes_of(self.shape)[0])
        if kind.parts is None:
            numbers: Array = WIDENED[kind.name](data).reshape(self.shape)
        else:
            memory = Dequantised(self.shape, np.float32)
            memory.stored = self
            numbers = memory.view(np.ndarray)
            blocks, wide = data.reshape(-1, kind.size), numbers.reshape(-1, kind.weights)
            step = max(1, PIECE // kind.weights)
            with np.errstate(invalid="ignore"):  # a scale that is not finite is found with the weights
                for start in range(0, len(blocks), step):
                    parts = kind.parts(blocks[start : start + step])
                    parts.weights(wide[start : start + step].reshape(parts.q.shape))
        numbers.flags.writeable = False
        return numbers

    def origin(self, number: int) -> Origin | None:
        """What the weight of this number (in the order of the file) was made of, read once more from the file."""
        kind = self.kind
        if kind.parts is None:
            return None
        block, place = divmod(number, kind.weights)
        with np.errstate(invalid="ignore"):
            parts = kind.parts(self._bytes(self.begin + block * kind.size, kind.size).reshape(1, kind.size))
        group = place // parts.q.shape[2]
        q = parts.q.reshape(-1)[place].astype(np.float32)
        minimum = None if parts.minimum is None else parts.minimum[0, group]
        return Origin(kind.name, parts.scale[0, group], q, minimum)

    def _bytes(self, begin: int, count: int) -> Array:
        with open_regular(self.path) as file:
            file.seek(begin)
            found = file.read(count)
        if len(found) < count:
            raise ModelError(_("{path} has become shorter since it was opened", path=shown(os.fsdecode(self.path))))
        return np.frombuffer(found, np.uint8)


def origin_of(weights: Array, place: tuple[int, ...]) -> Origin | None:
    """What one weight was made of, if it lies in memory that was dequantised, whatever view of it `weights` is."""
    memory = weights.base
    while isinstance(memory, np.ndarray) and not isinstance(memory, Dequantised):
        memory = memory.base
    if not isinstance(memory, Dequantised):
        return None
    offset = weights.ctypes.data - memory.ctypes.data
    offset += sum(step * index for step, index in zip(weights.strides, place, strict=True))
    return memory.stored.origin(offset // memory.itemsize)


def _float(data: Array) -> Array:
    """float16 numbers [block, number] from their bytes."""
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)


def _nibbles(data: Array, length: int) -> Array:
    """[block, group, length]: of every `length` bytes first their lower halves, then their upper ones."""
    data = data.reshape(len(data), -1, 1, length)
    return np.concatenate([data & 15, data >> 4], axis=2).reshape(len(data), -1, length)


def _q8_0(data: Array) -> Parts:
    return Parts(_float(data[:, :2]), np.ascontiguousarray(data[:, 2:]).view(np.int8)[:, None])


def _q4_0(data: Array) -> Parts:
    q = _nibbles(data[:, 2:], 16).reshape(-1, 1, 32)
    return Parts(_float(data[:, :2]), q.view(np.int8) - np.int8(8))


def _q4_1(data: Array) -> Parts:
    head = _float(data[:, :4])
    return Parts(head[:, :1], _nibbles(data[:, 4:], 16).reshape(-1, 1, 32), head[:, 1:])


def _fifth(data: Array, q: Array) -> Array:
    """The fifth bits of 32 weights are the bits of four bytes."""
    bits = np.unpackbits(np.ascontiguousarray(data), axis=1, bitorder="little")
    return (q.reshape(-1, 32) | bits << 4)[:, None]


def _q5_0(data: Array) -> Parts:
    q = _fifth(data[:, 2:6], _nibbles(data[:, 6:], 16))
    return Parts(_float(data[:, :2]), q.view(np.int8) - np.int8(16))


def _q5_1(data: Array) -> Parts:
    head = _float(data[:, :4])
    return Parts(head[:, :1], _fifth(data[:, 4:8], _nibbles(data[:, 8:], 16)), head[:, 1:])


def _scales(data: Array) -> tuple[Array, Array]:
    """The scales and minima [block, 8] of a Q4_K or Q5_K: six bits each in 12 bytes, times two float16 numbers."""
    head = _float(data[:, :4])
    low, high, rest = data[:, 4:8], data[:, 8:12], data[:, 12:16]
    scale = np.concatenate([low & 63, (rest & 15) | (low >> 2 & 48)], axis=1)
    minimum = np.concatenate([high & 63, (rest >> 4) | (high >> 2 & 48)], axis=1)
    return head[:, :1] * scale.astype(np.float32), -(head[:, 1:] * minimum.astype(np.float32))


def _q4_k(data: Array) -> Parts:
    scale, minimum = _scales(data)
    return Parts(scale, _nibbles(data[:, 16:], 32), minimum)


def _q5_k(data: Array) -> Parts:
    scale, minimum = _scales(data)
    high = data[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None] & 1
    return Parts(scale, _nibbles(data[:, 48:], 32) | high << 4, minimum)


def _q6_k(data: Array) -> Parts:
    low = _nibbles(data[:, :128], 64).reshape(-1, 2, 4, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8)[:, None]
    high = data[:, 128:192].reshape(-1, 2, 1, 32) >> shifts & 3
    q = (low | high << 4).view(np.int8) - np.int8(32)
    scale = _float(data[:, 208:]) * np.ascontiguousarray(data[:, 192:208]).view(np.int8).astype(np.float32)
    return Parts(scale, q.reshape(-1, 16, 16))


TYPES: dict[int, Kind] = {
    0: Kind("F32", 1, 4),
    1: Kind("F16", 1, 2),
    2: Kind("Q4_0", 32, 18, _q4_0),
    3: Kind("Q4_1", 32, 20, _q4_1),
    6: Kind("Q5_0", 32, 22, _q5_0),
    7: Kind("Q5_1", 32, 24, _q5_1),
    8: Kind("Q8_0", 32, 34, _q8_0),
    9: Kind("Q8_1", 32, 40),
    10: Kind("Q2_K", K_WEIGHTS, 84),
    11: Kind("Q3_K", K_WEIGHTS, 110),
    12: Kind("Q4_K", K_WEIGHTS, 144, _q4_k),
    13: Kind("Q5_K", K_WEIGHTS, 176, _q5_k),
    14: Kind("Q6_K", K_WEIGHTS, 210, _q6_k),
    15: Kind("Q8_K", K_WEIGHTS, 292),
    16: Kind("IQ2_XXS", K_WEIGHTS, 66),
    17: Kind("IQ2_XS", K_WEIGHTS, 74),
    18: Kind("IQ3_XXS", K_WEIGHTS, 98),
    19: Kind("IQ1_S", K_WEIGHTS, 50),
    20: Kind("IQ4_NL", 32, 18),
    21: Kind("IQ3_S", K_WEIGHTS, 110),
    22: Kind("IQ2_S", K_WEIGHTS, 82),
    23: Kind("IQ4_XS", K_WEIGHTS, 136),
    24: Kind("I8", 1, 1),
    25: Kind("I16", 1, 2),
    26: Kind("I32", 1, 4),
    27: Kind("I64", 1, 8),
    28: Kind("F64", 1, 8),
    29: Kind("IQ1_M", K_WEIGHTS, 56),
    30: Kind("BF16", 1, 2),
    34: Kind("TQ1_0", K_WEIGHTS, 54),
    35: Kind("TQ2_0", K_WEIGHTS, 66),
    39: Kind("MXFP4", 32, 17),
    40: Kind("NVFP4", 64, 36),
    41: Kind("Q1_0", 128, 18),
}
"""The types of tensors by their numbers; a file may hold any, only some can be read."""
READABLE = tuple(kind.name for kind in TYPES.values() if kind.parts or kind.name in WIDENED)
