"""The error budget: how far float32 is from what exact arithmetic would give, step by step and along the whole run.

Local: a step in float64 from the same inputs. Propagated: the whole run in float64, from the same weights and tokens. float64 has
536,870,912 times finer steps, so its own errors do not count here.

Each has a bound. That of a propagated error starts from how far the inputs of the step are off: from the first step on, bounds of
bounds would grow beyond all measure within a block or two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

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
    """Its largest number, by size; like all of its distances NaN where none of its numbers is finite."""
    local: float
    """The distance to the same step in float64 from the same inputs."""
    propagated: float
    """The distance to the same step of a run that was float64 from the beginning on."""
    at: tuple[int, ...]
    """Where the propagated distance is largest."""
    bound: float | None = None
    """How large the local distance can be at most, by an analysis before any number is computed."""
    propagated_bound: float | None = None
    """How large the propagated distance can be at most, by the same analysis, from how far the inputs of the step are off."""
    peer_local: float | None = None
    """The local distance of another program, None where it has nothing for the op."""
    peer_propagated: float | None = None
    """The propagated distance of another program, which has computed all steps before this one, too."""


class Bound(Protocol):
    """How far each number of an op's result in float32 may be from the exact one: see `llmtrace.testing.local_bound`."""

    def __call__(
        self,
        op: str,
        tensors: Mapping[str, Array | None],
        settings: Mapping[str, Any],
        off: Mapping[str, Array] | None = None,
    ) -> Array:
        """By the op's name; off: how far its tensors are off already."""


Peer = Callable[[Record, Mapping[str, Array | None]], Array | None]
"""A step as another program computes it from such operands; None where it has nothing for the op."""


def accuracy(trace: Trace, bound: Bound | None = None, peer: Peer | None = None) -> list[Error]:
    """The error of every real step of a run, in order; EditError where the run is not of float32.

    bound: what says how large the errors can be, such as `llmtrace.testing.local_bound`. peer: another program whose errors are
    to stand beside ours, such as `llmtrace.experiments.pytorch.PyTorch()`.
    """
    wide: dict[str, Array] = {}
    theirs: dict[str, Array] = {}
    errors: list[Error] = []
    for step in trace.steps:
        record, ours = step.record, step.output
        exact = _done(trace, record, wide)
        if ours.dtype == np.float32:
            local = _done(trace, record, {})
            error = _error(record, ours, local, exact)
            if peer is not None:
                error = _beside(error, trace, record, (local, exact), theirs, peer)
            errors.append(error if bound is None else _bounded(error, trace, record, wide, bound))
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


def _beside(
    error: Error, trace: Trace, record: Record, exact: tuple[Array, Array], theirs: dict[str, Array], peer: Peer
) -> Error:
    """The same error beside that of another program; `theirs`, its results so far, get one more."""
    given = {kind: None if name is None else trace.tensor(name) for kind, name in record.operands.items()}
    along = {kind: theirs.get(str(name), given[kind]) for kind, name in record.operands.items()}
    ours, made = trace.tensor(record.name), [peer(record, operands) for operands in (given, along)]
    shares = [
        None if other is None else _share(ours, _apart(other, right)) for other, right in zip(made, exact, strict=True)
    ]
    theirs[record.name] = OPS[record.op].forward(*along.values(), **record.settings) if made[1] is None else made[1]
    return replace(error, peer_local=shares[0], peer_propagated=shares[1])


def _bounded(error: Error, trace: Trace, record: Record, wide: Mapping[str, Array], bound: Bound) -> Error:
    """The same error beside its bounds."""
    tensors = {kind: None if name is None else trace.tensor(name) for kind, name in record.operands.items()}
    exact = {kind: wide.get(str(name), tensors[kind]) for kind, name in record.operands.items()}
    off = {kind: _apart(tensors[kind], exact[kind]) for kind, name in record.operands.items() if name in wide}
    off = {kind: far for kind, far in off.items() if far.any()}
    ours = trace.tensor(record.name)
    with np.errstate(all="ignore"):
        local = bound(record.op, tensors, record.settings)
        along = bound(record.op, exact, record.settings, off)
    return replace(error, bound=_share(ours, local), propagated_bound=_share(ours, along))


def _apart(ours: Any, exact: Any) -> Array:
    """How far numbers are from exact ones; −∞ is not apart from itself."""
    with np.errstate(invalid="ignore"):
        far = np.abs(ours - exact, dtype=np.float64)
    return np.where(np.isfinite(far), far, 0.0)


def _share(ours: Array, most: Array) -> float:
    """The largest of some distances, as a share of the largest number; of finite numbers, and NaN where there is none."""
    largest = _largest(ours)
    return float(np.where(np.isfinite(ours), most, 0.0).max(initial=0.0)) / largest if largest else 0.0


def _largest(ours: Array) -> float:
    finite = ours[np.isfinite(ours)]
    return float(np.abs(finite, dtype=np.float64).max(initial=0.0)) if finite.size or not ours.size else np.nan


def _error(record: Record, ours: Array, local: Array, exact: Array) -> Error:
    far = [_apart(ours, other) for other in (local, exact)]
    at = tuple(int(i) for i in np.unravel_index(int(far[1].argmax()), far[1].shape)) if far[1].size else ()
    return Error(record.name, record.op, _largest(ours), _share(ours, far[0]), _share(ours, far[1]), at)
