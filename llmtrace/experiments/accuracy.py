"""The error budget: how far float32 is from what exact arithmetic would give, step by step and along the whole run.

Local: a step in float64 from the same inputs. Propagated: the whole run in float64, from the same weights and tokens. float64 has
536,870,912 times finer steps, so its own errors do not count here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import EditError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.trace import Record, Trace


@frozen
class Error:
    """How exact one step is. Distances are the largest over all its numbers, as a share of its largest number."""

    name: str
    op: str
    largest: float
    """Its largest number, by size."""
    local: float
    """The distance to the same step in float64 from the same inputs."""
    propagated: float
    """The distance to the same step of a run that was float64 from the beginning on."""
    at: tuple[int, ...]
    """Where the propagated distance is largest."""
    bound: float | None = None
    """How large the local distance can be at most, by an analysis before any number is computed."""


Bound = Callable[[str, dict[str, Array | None], Mapping[str, Any]], Array]
"""How far each number of an op's result in float32 may be from the exact one, from its name, tensors and settings."""


def accuracy(trace: Trace, bound: Bound | None = None) -> list[Error]:
    """The error of every real step of a run, in order; EditError where the run is not of float32.

    bound: what says how large the local errors can be, such as `llmtrace.testing.local_bound`.
    """
    wide: dict[str, Array] = {}
    errors: list[Error] = []
    for step in trace.steps:
        record, ours = step.record, step.output
        exact = _done(trace, record, wide)
        if ours.dtype == np.float32:
            local = _done(trace, record, {})
            error = _error(record, ours, local, exact)
            errors.append(error if bound is None else replace(error, bound=_largest(trace, record, ours, bound)))
        wide[step.name] = exact
    if not errors:
        raise EditError(_("this run has no float32 numbers whose error could be told"))
    return errors


def _done(trace: Trace, record: Record, wide: dict[str, Array]) -> Array:
    """A step in float64: from the float64 results that are there, else from the recorded numbers."""
    operands: list[Any] = []
    for name in record.operands.values():
        array = None if name is None else wide.get(name, trace.tensor(name))
        real = array is not None and array.dtype.kind == "f"
        operands.append(np.ascontiguousarray(array, np.float64) if real else array)
    return OPS[record.op].forward(*operands, **record.settings)


def _largest(trace: Trace, record: Record, ours: Array, bound: Bound) -> float:
    """The largest bound of a step, as a share of its largest number."""
    tensors = {kind: None if name is None else trace.tensor(name) for kind, name in record.operands.items()}
    with np.errstate(all="ignore"):
        most = bound(record.op, tensors, record.settings)
    finite = np.isfinite(ours) & np.isfinite(most)
    largest = float(np.abs(ours[np.isfinite(ours)], dtype=np.float64).max(initial=0.0))
    return float(np.where(finite, most, 0.0).max(initial=0.0)) / largest if largest else 0.0


def _error(record: Record, ours: Array, local: Array, exact: Array) -> Error:
    finite = np.isfinite(ours) & np.isfinite(exact)
    largest = float(np.abs(ours[finite], dtype=np.float64).max(initial=0.0))
    with np.errstate(invalid="ignore"):  # masked scores are −∞ in both
        far = [np.where(finite, np.abs(ours - other), 0.0) for other in (local, exact)]
    at = tuple(int(i) for i in np.unravel_index(int(far[1].argmax()), far[1].shape)) if far[1].size else ()
    shares = [float(each.max(initial=0.0)) / largest if largest else 0.0 for each in far]
    return Error(record.name, record.op, largest, shares[0], shares[1], at)
