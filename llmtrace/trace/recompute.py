"""Tensors that a trace does not keep, computed again when they are asked for: only the part that is asked for, to the same bits.

What is needed is planned from the end: each step says which part of its inputs a part of its result needs (`llmtrace.ops.part`),
back to what is kept. Then the parts are computed in order, each once. What was computed last is remembered, up to `REMEMBERED`
bytes: who explains one number soon asks for the numbers beside it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.errors import DoesNotFitError, LlmtraceError, ReplayError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.ops import OPS, Weight
from llmtrace.ops.part import Asked, Box, Part, batch_strided, box_of, contiguous, covers, joined, size_of_box, within
from llmtrace.trace.step import Record
from llmtrace.trace.workspace import alone

REMEMBERED = 64_000_000


class Unmade(np.ndarray):
    """Stands for the numbers of a step that is written down but not done: only its shape and type mean something."""


def unmade(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """A tensor that takes no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape).view(Unmade)


class Source(Protocol):
    """What is asked of a trace."""

    @property
    def weights(self) -> Mapping[str, Weight]:
        """The model's, by name."""

    def record_of(self, name: str) -> Record | None:
        """What was done in a step."""

    def holds(self, name: str) -> bool:
        """Whether the numbers of that name are there, and need not be computed."""

    def tensor(self, name: str) -> Array:
        """Numbers that are there."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Of any tensor."""

    def position(self, name: str) -> int:
        """Which step it is, from 0."""

    def records(self) -> Iterable[Record]:
        """All steps, in order."""


Values = dict[str, tuple[Box, Array]]
"""Numbers by the names of their tensors, and the box that they lie in."""


@frozen
class Task:
    """One step, to be done again for a part of its result."""

    record: Record
    part: Part


class Recomputer:
    """Computes what a trace does not keep.

    remembered: what was computed last, which the trace holds for the next time; None where nothing is to be remembered.
    at_hand: further numbers that need not be computed.
    empty: where results are written.
    """

    def __init__(
        self, trace: Source, remembered: Values | None = None, at_hand: Values | None = None, empty: Empty = alone
    ) -> None:
        self._trace = trace
        self._remembered = remembered
        self._at_hand: Values = at_hand or {}
        self._empty = empty

    def whole(self, name: str) -> Array:
        """All numbers of a step; read-only."""
        return self.part(name, box_of(self._trace.shape(name)))

    def part(self, name: str, box: Box) -> Array:
        """The numbers of a step that lie in a box; read-only."""
        if not all(map(len, box)):
            return np.empty(size_of_box(box), self._dtype(name))
        found = self._found(name, box)
        if found is None:
            for done, outer, array in self._done(*self._plan(name, box)):
                found = (outer, array) if done == name else found
        assert found is not None
        return found[1][within(box, found[0])]

    def every(self, again: bool = False) -> Iterator[tuple[str, Array]]:
        """The numbers of all steps in order, each computed once from those before; what no later step needs is let go.

        again: also those that are there, from the results of the steps before and not from what was recorded.
        """
        trace = self._trace
        records = list(trace.records())
        tasks = [
            Task(record, Part(box_of(record.shape))) for record in records if again or not trace.holds(record.name)
        ]
        done = self._done(tasks, {})
        for record in records:
            held = trace.holds(record.name) and not again
            yield record.name, trace.tensor(record.name) if held else next(done)[2]

    def _dtype(self, name: str) -> np.dtype[Any]:
        record = self._trace.record_of(name)
        assert record is not None
        return np.dtype(record.dtype)

    def _found(self, name: str, box: Box) -> tuple[Box, Array] | None:
        found = self._at_hand.get(name) or (self._remembered or {}).get(name)
        return found if found is not None and covers(found[0], box) else None

    def _plan(self, name: str, box: Box) -> tuple[list[Task], Values]:
        """The steps to do, in order, up to the one that is asked for; and what they find done already."""
        trace, boxes, tasks, values = self._trace, {name: box}, list[Task](), Values()
        waiting = [(-trace.position(name), name)]
        while waiting:
            _position, each = heapq.heappop(waiting)
            found = self._found(each, boxes[each])
            if found is not None:
                values[each] = found
                continue
            record = trace.record_of(each)
            assert record is not None
            part = self._part(record, boxes[each])
            tasks.append(Task(record, part))
            for kind, operand in record.operands.items():
                if operand is None or kind in part.instead or trace.holds(operand) or trace.record_of(operand) is None:
                    continue  # it is there, whole
                needed = part.operands.get(kind) or box_of(trace.shape(operand))
                if operand in boxes:
                    boxes[operand] = joined(boxes[operand], needed)
                else:
                    boxes[operand] = needed
                    heapq.heappush(waiting, (-trace.position(operand), operand))
        return tasks[::-1], values

    def _part(self, record: Record, box: Box) -> Part:
        names = record.operands

        def read(kind: str) -> Array:
            name = names[kind]
            assert name is not None, kind
            return self._trace.tensor(name)

        shapes = {kind: None if name is None else self._trace.shape(name) for kind, name in names.items()}
        return doing(record, lambda: OPS[record.op].rule(Asked(box, record.shape, shapes, record.settings, read)))

    def _done(self, tasks: list[Task], values: Values) -> Iterator[tuple[str, Box, Array]]:
        """Does steps in order; gives the name of each, and the box that its numbers lie in."""
        last = {name: i for i, task in enumerate(tasks) for name in task.record.operands.values() if name is not None}
        for i, task in enumerate(tasks):
            record = task.record
            array = doing(record, lambda: self._do(task, values))  # noqa: B023 - called at once
            array.flags.writeable = False
            values[record.name] = (task.part.box, array)
            if self._remembered is not None:
                self.remember(record.name, task.part.box, array)
            yield record.name, task.part.box, array
            del array
            for name in {*record.operands.values(), record.name}:
                if name in values and last.get(name, i) <= i:
                    del values[name]

    def _do(self, task: Task, values: Values) -> Array:
        record, part, op = task.record, task.part, OPS[task.record.op]
        arguments: list[Any] = []
        for kind, name in record.operands.items():
            if kind in part.instead:
                arguments.append(part.instead[kind])
            elif name is None:
                arguments.append(None)
            elif kind in op.packed + op.gathered and self._is_weight(name):
                arguments.append(self._trace.weights[name].given(op, kind, record.settings))
            else:
                numbers = self._operand(name, part.operands.get(kind), values)
                arguments.append(batch_strided(numbers) if kind in op.batch_strided else contiguous(numbers))
        shape = size_of_box(part.box)

        def empty(given: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
            fits = given == shape or (part.masked is not None and given[:-1] == shape[:-1] and given[-1] <= shape[-1])
            if not fits or np.dtype(dtype) != np.dtype(record.dtype):  # before there is memory for it
                text = _("its inputs give numbers of shape {shape}, {dtype}", shape=given, dtype=np.dtype(dtype).name)
                raise ValueError(text)
            return self._empty(given, dtype)

        out = op.forward(*arguments, **record.settings, empty=empty)
        if out.shape == shape:
            return out
        filled = np.full(shape, part.masked, out.dtype)
        filled[..., : out.shape[-1]] = out
        return filled

    def _is_weight(self, name: str) -> bool:
        return name in self._trace.weights and self._trace.record_of(name) is None

    def _operand(self, name: str, box: Box | None, values: Values) -> Array:
        if name in values:
            outer, array = values[name]
        else:
            array = self._trace.tensor(name)
            outer = box_of(array.shape)
        return array if box is None else array[within(box, outer)]

    def remember(self, name: str, box: Box, array: Array) -> None:
        """Puts a result in front of those that are remembered; the oldest go."""
        assert self._remembered is not None
        if array.nbytes > REMEMBERED // 2:
            return
        self._remembered.pop(name, None)
        self._remembered[name] = (box, array)
        known = list(self._remembered.items())  # others may ask meanwhile
        size = sum(array.nbytes for _name, (_box, array) in known)
        for oldest, (_box, array) in known:
            if size <= REMEMBERED:
                break
            self._remembered.pop(oldest, None)
            size -= array.nbytes


def doing(record: Record, do: Callable[[], Any]) -> Any:
    """What `do` gives; ReplayError where the step can't be done: a file may hold what does not go together."""
    try:
        with np.errstate(all="ignore"):
            return do()
    except LlmtraceError:  # a file that is damaged, weights that are not there
        raise
    except MemoryError as error:
        text = _("there is not enough memory to do {name} again: {why}")
        raise DoesNotFitError(text.format(name=record.name, why=error)) from error
    except (TypeError, ValueError, IndexError, AssertionError) as error:
        raise ReplayError(_("{name} can't be done again: {why}", name=record.name, why=error)) from error
