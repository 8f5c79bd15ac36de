"""The elementary operations that every explanation is made of, each one IEEE operation (or one ordered chain of them).

This is the whole of the arithmetic: whoever can do these lines can do everything that a model does. Each works on NumPy
values of one type, either single numbers or rows of them, and rounds once per operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.ops import reference
from llmtrace.ops.op import Array


def running_totals(terms: Array) -> Array:
    """The total after each term of a sum that starts at +0 and adds one term at a time: shape [n] → [n]."""
    return np.asarray(np.add.accumulate(np.concatenate([np.zeros(1, terms.dtype), terms]))[1:])


def _sum(terms: Array) -> Any:
    return running_totals(terms)[-1] if terms.size else terms.dtype.type(0)


def _relu(x: Array) -> Array:
    return np.where(x > 0, x, np.where(np.isnan(x), x, x.dtype.type(0)))


@dataclass(frozen=True)
class Operation:
    """One elementary operation: how it is written, and how it is done."""

    symbol: str
    compute: Callable[..., Any]


OPERATIONS: dict[str, Operation] = {
    "take": Operation("", lambda x: x),
    "look_up": Operation("row", lambda row, value: value),
    "masked": Operation("masked", lambda value: value),
    "negate": Operation("−", np.negative),
    "add": Operation("+", np.add),
    "subtract": Operation("−", np.subtract),
    "multiply": Operation("×", np.multiply),
    "divide": Operation("÷", np.divide),
    "root": Operation("√", np.sqrt),
    "exp": Operation("exp", reference.exp),
    "log": Operation("log", reference.log),
    "tanh": Operation("tanh", reference.tanh),
    "erf": Operation("erf", reference.erf),
    "relu": Operation("relu", _relu),
    "maximum": Operation("max", np.max),
    "argmax": Operation("argmax", np.argmax),
    "sum": Operation("Σ", _sum),
    "totals": Operation("Σ", running_totals),
    "dot": Operation("Σ ×", lambda a, b: _sum(a * b)),
}


def compute(operation: str, *values: Array) -> Array:
    """The result of one elementary operation, under the kernels' floating-point state whatever others have set."""
    with _kernels.FloatState(), np.errstate(all="ignore"):
        return np.asarray(OPERATIONS[operation].compute(*values))


def same_bits(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers to the last bit: −0 is not +0, and every NaN is the same NaN."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    unsigned = np.dtype(f"u{a.dtype.itemsize}")
    bits_equal = np.ascontiguousarray(a).view(unsigned) == np.ascontiguousarray(b).view(unsigned)
    return bool(np.all(bits_equal | (np.isnan(a) & np.isnan(b))))
