"""One line for all the numbers of a trace: who computes it elsewhere to the same bits gets the same line."""

from __future__ import annotations

import hashlib

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.storage.digest import array_digest
from llmtrace.trace.trace import Trace


def checksum(trace: Trace) -> str:
    """SHA-256 over a line `name type shape digest` for each leaf and step, by name: `ln_f float32 6x128 9f86d0…`.

    What an edit has put aside is left out, so whoever makes the same edit in another way gets the same line.
    """
    aside = _of_edits(trace)
    lines = {name: _line(name, trace.tensor(name)) for name in trace.leaves}
    lines |= {name: _line(name, tensor) for name, tensor in trace.each()}
    return hashlib.sha256("".join(lines[name] for name in sorted(lines.keys() - aside)).encode()).hexdigest()


def _of_edits(trace: Trace) -> set[str]:
    """What edits were made from, and the weights that they have changed: their results stand under the usual names."""
    edits = [step for step in trace.steps if step.op == "edit"]
    weights = {step.name for step in edits if step.name.endswith(".edited")}
    return weights.union(*(step.record.inputs for step in edits))


def _line(name: str, tensor: Array) -> str:
    shape = "x".join(map(str, tensor.shape))
    return f"{name} {tensor.dtype.name} {shape} {array_digest(one_nan(tensor))}\n"


def one_nan(tensor: Array) -> Array:
    """The same numbers with every NaN as the same one: sign and payload mean nothing, and differ between processors."""
    if tensor.dtype.kind != "f" or not np.isnan(tensor).any():
        return tensor
    return np.where(np.isnan(tensor), tensor.dtype.type(np.nan), tensor)
