"""What a model's weights are, in one line: the same whether they came from one file or ten, from F16 or F32."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.ops import Weight

PIECE = 1 << 22


def array_digest(array: Array) -> str:
    """SHA-256 of an array's numbers, little-endian, in the order of its axes, however it lies in memory."""
    digest = hashlib.sha256()
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    rows = array if array.ndim else array.reshape(1)
    # In pieces, so that a part of a larger array (the columns of c_attn that make queries) is not copied as a whole.
    step = max(1, PIECE // max(1, rows[:1].nbytes))
    for start in range(0, len(rows), step):
        digest.update(np.ascontiguousarray(rows[start : start + step]).data.cast("B") if rows.size else b"")
    return digest.hexdigest()


def weights_hash(weights: Mapping[str, Weight]) -> str:
    """SHA-256 over a line `name type shape digest` for each weight, by name: `ln_f.bias float32 768 9f86d0…` (or 2x3).

    Every number is read: some 0.4 s for 500 MB with the processor's SHA instructions, several times that without.
    """
    known: dict[int, str] = {}  # tied weights are one object with two names
    whole = hashlib.sha256()
    for name in sorted(weights):
        weight = weights[name]
        if id(weight) not in known:
            known[id(weight)] = array_digest(weight.data)
        shape = "x".join(str(length) for length in weight.shape)
        whole.update(f"{name} {weight.dtype.name} {shape} {known[id(weight)]}\n".encode())
    return whole.hexdigest()
