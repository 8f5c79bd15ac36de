"""The elementary operations that every explanation is made of, each one IEEE operation (or one ordered chain of them).

This is the whole of the arithmetic: whoever can do these lines can do everything that a model does. Each works on NumPy
values of one type, either single numbers or rows of them, and rounds once per operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen


def running_totals(terms: Array, start: Any = 0) -> Array:
    """The total after each term of a sum that starts at +0, or at `start`, and adds one term at a time: shape [n] → [n]."""
    return np.asarray(np.add.accumulate(np.concatenate([np.full(1, start, terms.dtype), terms]))[1:])


def _sum(terms: Array, start: Any = 0) -> Any:
    return running_totals(terms, start)[-1] if terms.size else terms.dtype.type(start)


def _products(a: Array, b: Array) -> Array:
    if a.shape != b.shape:  # NumPy would multiply a row by another that has only one number
        raise ValueError(f"rows of {a.size} and {b.size} numbers can't be multiplied")
    return np.asarray(a * b)


def _relu(x: Array) -> Array:
    return np.where(x > 0, x, np.where(np.isnan(x), x, x.dtype.type(0)))


def _above(x: Array, limit: Array, then: Array, otherwise: Array) -> Array:
    return np.where(x > limit, then, np.where(x <= limit, otherwise, x + limit))


def _ahead(row: Array, place: Array) -> Any:
    own, earlier = row[place], np.arange(row.size) < place
    if np.isnan(own):
        return np.count_nonzero(np.isnan(row) & earlier)
    return np.count_nonzero(np.isnan(row) | (row > own) | ((row == own) & earlier))


def _keep(x: Array, measure: Array, limit: Array) -> Array:
    return np.where(measure >= limit, x.dtype.type(-np.inf), x)


def _first_above(row: Array, limit: Array) -> Any:
    above = running_totals(row) > limit
    if above.any():
        return np.argmax(above)
    return np.flatnonzero(row > 0)[-1] if (row > 0).any() else np.int64(row.size - 1)


@frozen
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
    "exp": Operation("exp", elementary.exp),
    "log": Operation("log", elementary.log),
    "tanh": Operation("tanh", elementary.tanh),
    "erf": Operation("erf", elementary.erf),
    "sin": Operation("sin", elementary.sin),
    "cos": Operation("cos", elementary.cos),
    "relu": Operation("relu", _relu),
    "absolute": Operation("abs", np.abs),
    "above": Operation("above", _above),
    "maximum": Operation("max", np.max),
    "argmax": Operation("argmax", np.argmax),
    "ahead": Operation("ahead", _ahead),
    "keep": Operation("keep", _keep),
    "first_above": Operation("first Σ above", _first_above),
    "sum": Operation("Σ", _sum),
    "totals": Operation("Σ", running_totals),
    "dot": Operation("Σ ×", lambda a, b: _sum(_products(a, b))),
    "sum_from": Operation("Σ", _sum),
    "totals_from": Operation("Σ", running_totals),
    "dot_from": Operation("Σ ×", lambda a, b, start: _sum(_products(a, b), start)),
}


SUMS = frozenset({"sum", "dot", "sum_from", "dot_from"})
"""Those that add up a row; those "_from" somewhere else than +0 have the start as their last operand."""

DOTS = frozenset({"dot", "dot_from"})
"""Those that add up products."""


def compute(operation: str, *values: Array) -> Array:
    """The result of one elementary operation, under the kernels' floating-point state whatever others have set."""
    with _kernels.FloatState(), np.errstate(all="ignore"):
        return np.asarray(OPERATIONS[operation].compute(*values))
