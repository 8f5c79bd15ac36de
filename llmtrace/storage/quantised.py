"""What tensors are stored as in a GGUF file: numbers of several widths, and blocks of a few bits a weight with a scale.

A weight of a block is `scale × q`, or `scale × q + minimum`: one product and one sum, both rounded to float32, as llama.cpp
does it. https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from llmtrace.arithmetic.types import Array

PIECE = 1 << 15
"""So many weights are widened at a time: they stay in the processor's cache until they are finished."""
K_WEIGHTS = 256
"""The weights of one block of a K type."""


class Factors(NamedTuple):
    """What the scales of groups are made of, where they are products themselves."""

    unit: Array
    """[block, 1] float32."""
    whole: Array
    """[block, group], whole numbers."""

    def product(self) -> Array:
        """[block, group] float32."""
        return np.asarray(self.unit * self.whole.astype(np.float32))

    def of_group(self, group: int) -> tuple[Array, Array]:
        """The two of one group of the first block."""
        return self.unit[0, 0], self.whole[0, group].astype(np.float32)


class Parts(NamedTuple):
    """The weights of blocks in groups: what each is made of."""

    scale: Array
    """[block, group] float32."""
    q: Array
    """[block, group, weight], whole numbers."""
    minimum: Array | None = None
    """[block, group] float32; None where nothing is added."""
    of_scale: Factors | None = None
    of_minimum: Factors | None = None
    """What `minimum` is made of, but for its sign."""

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
    scales: tuple[int, ...] = (0,)
    """Where the float16 numbers of a block begin: where these are finite, so are its weights."""

    def bytes_of(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """How many bytes a tensor takes, and how many weights of a row are left over when it is cut into blocks."""
        row = shape[-1] if shape else 1
        return math.prod(shape) // self.weights * self.size, row % self.weights

    def is_finite(self, blocks: Array) -> bool:
        """Whether every weight of blocks [row, block, byte] is; of quantised ones, F16 and BF16."""
        exponent = np.uint16(0x7F80 if self.name == "BF16" else 0x7C00)
        step = max(1, PIECE // max(1, blocks.shape[1]))
        for start in range(0, len(blocks), step):
            for place in self.scales:
                numbers = np.ascontiguousarray(blocks[start : start + step, :, place : place + 2]).view("<u2")
                if ((numbers & exponent) == exponent).any():
                    return False
        return True

    def origin(self, block: Array, place: int) -> Origin:
        """What weight `place` of a block was made of."""
        assert self.parts is not None
        with np.errstate(invalid="ignore"):
            parts = self.parts(np.ascontiguousarray(block).reshape(1, self.size))
        group = place // parts.q.shape[2]
        q = parts.q.reshape(-1)[place].astype(np.float32)
        minimum = None if parts.minimum is None else parts.minimum[0, group]
        of_scale, of_minimum = (each and each.of_group(group) for each in (parts.of_scale, parts.of_minimum))
        return Origin(self.name, parts.scale[0, group], q, minimum, of_scale, of_minimum)


class Origin(NamedTuple):
    """What one quantised weight was made of, each a float32 number."""

    kind: str
    scale: Array
    q: Array
    minimum: Array | None
    of_scale: tuple[Array, Array] | None
    """The unit and the whole number whose product is the scale, where it is one."""
    of_minimum: tuple[Array, Array] | None
    """The same of the minimum, but for its sign."""


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


def _of_groups(data: Array, q: Array) -> Parts:
    """Of a Q4_K or Q5_K, with its scales and minima: six bits each in 12 bytes, times two float16 numbers."""
    head = _float(data[:, :4])
    low, high, rest = data[:, 4:8], data[:, 8:12], data[:, 12:16]
    scale = np.concatenate([low & 63, (rest & 15) | (low >> 2 & 48)], axis=1)
    minimum = np.concatenate([high & 63, (rest >> 4) | (high >> 2 & 48)], axis=1)
    of_scale, of_minimum = Factors(head[:, :1], scale), Factors(head[:, 1:], minimum)
    return Parts(of_scale.product(), q, -of_minimum.product(), of_scale, of_minimum)


def _q4_k(data: Array) -> Parts:
    return _of_groups(data, _nibbles(data[:, 16:], 32))


def _q5_k(data: Array) -> Parts:
    high = data[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None] & 1
    return _of_groups(data, _nibbles(data[:, 48:], 32) | high << 4)


def _q6_k(data: Array) -> Parts:
    low = _nibbles(data[:, :128], 64).reshape(-1, 2, 4, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8)[:, None]
    high = data[:, 128:192].reshape(-1, 2, 1, 32) >> shifts & 3
    q = (low | high << 4).view(np.int8) - np.int8(32)
    of_scale = Factors(_float(data[:, 208:]), np.ascontiguousarray(data[:, 192:208]).view(np.int8))
    return Parts(of_scale.product(), q.reshape(-1, 16, 16), of_scale=of_scale)


TYPES: dict[int, Kind] = {
    0: Kind("F32", 1, 4),
    1: Kind("F16", 1, 2),
    2: Kind("Q4_0", 32, 18, _q4_0),
    3: Kind("Q4_1", 32, 20, _q4_1, (0, 2)),
    6: Kind("Q5_0", 32, 22, _q5_0),
    7: Kind("Q5_1", 32, 24, _q5_1, (0, 2)),
    8: Kind("Q8_0", 32, 34, _q8_0),
    9: Kind("Q8_1", 32, 40),
    10: Kind("Q2_K", K_WEIGHTS, 84),
    11: Kind("Q3_K", K_WEIGHTS, 110),
    12: Kind("Q4_K", K_WEIGHTS, 144, _q4_k, (0, 2)),
    13: Kind("Q5_K", K_WEIGHTS, 176, _q5_k, (0, 2)),
    14: Kind("Q6_K", K_WEIGHTS, 210, _q6_k, (208,)),
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
KINDS = {kind.name: kind for kind in TYPES.values()}
