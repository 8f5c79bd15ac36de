"""Random weights in every width in which they can stay in memory."""

import numpy as np

from llmtrace._kernels import WIDTHS
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.storage.quantised import KINDS
from llmtrace.storage.stored import WIDENED

ALL = tuple(WIDTHS)


def blocks(kind, rows, count, seed=0):
    """Blocks [row, block, byte] of finite weights near 1."""
    rng = np.random.default_rng(seed)
    found = rng.integers(0, 256, (rows, count, KINDS[kind].size), np.uint8)
    for place in KINDS[kind].scales:
        half = rng.standard_normal((rows, count)).astype(np.float16)
        half.flat[:: max(1, half.size // 5)] = np.float16(3e-7)  # a subnormal number
        if kind == "BF16":
            half = (half.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        found[..., place : place + 2] = half[..., None].view(np.uint8)
    return found


def widened(kind, stored):
    """The weights of blocks as float32, by the definition in NumPy."""
    rows, count, size = stored.shape
    flat = np.ascontiguousarray(stored).reshape(-1, size)
    if not flat.size:
        return np.zeros((rows, count * KINDS[kind].weights), np.float32)
    if KINDS[kind].parts is None:
        return WIDENED[kind](flat.reshape(-1)).reshape(rows, count)
    parts = KINDS[kind].parts(flat)
    out = np.empty(parts.q.shape, np.float32)
    parts.weights(out)
    return out.reshape(rows, count * KINDS[kind].weights)


def matrix(kind, rows, depth, seed=0):
    """A stored matrix [rows, depth], rounded up to whole blocks, and its float32 numbers."""
    found = blocks(kind, rows, -(-depth // KINDS[kind].weights), seed)
    return StoredMatrix(kind, found), widened(kind, found)
