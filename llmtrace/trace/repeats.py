"""Steps that a model does again, token after token and prompt after prompt: what was found out about one is known ever after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from llmtrace._kernels import Given, PackedMatrix, Queue, Repeat, repeat
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops import Op, Tensor, Weight
from llmtrace.trace.legend import Legend
from llmtrace.trace.step import Record
from llmtrace.trace.trace import Keep, Stays

Settings = dict[str, Any]


class Pending(Tensor):
    """A tensor of a step that waits in a queue: its numbers are there when somebody asks for them."""

    queue: Queue

    @classmethod
    def made(cls, name: str, data: Array, axes: Axes, queue: Queue) -> Pending:
        """The tensor of a step that is the last in the queue."""
        tensor = tuple.__new__(cls, (name, data, axes))
        tensor.queue = queue
        return tensor

    @property
    def data(self) -> Array:
        """The numbers."""
        self.queue.run()
        return self.taken_by(self.queue)

    def taken_by(self, queue: Queue | None) -> Array:
        """The array, for a step that is done behind all that wait in this queue."""
        array: Any = tuple.__getitem__(self, 1)
        return array if queue is self.queue else self.data

    @property
    def outline(self) -> Array:
        """An array of its shape and type, at whose numbers nobody may look."""
        return self.taken_by(self.queue)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.outline.shape

    def done(self) -> Tensor:
        """The same with its numbers."""
        return Tensor(self.name, self.data, self.axes)

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, tuple(self.done())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.done())

    def __getitem__(self, index: Any) -> Any:
        return self.done()[index]

    def __repr__(self) -> str:
        return repr(self.done())

    def _replace(self, **changed: Any) -> Tensor:  # type: ignore[override]
        return self.done()._replace(**changed)


class Noted(NamedTuple):
    """What a trace that keeps as much has noted of a step that is known."""

    given: Given
    """Its inputs, from which the record follows."""
    record: Record
    legend: Legend
    """By which it is kept or not."""
    stays: Stays
    empty: Empty | None
    """What gives it memory, if not the run's."""


class Undone(NamedTuple):
    """What a trace has noted of a step that is only written down."""

    given: Given
    """Its inputs, from which the record follows, and from the others."""
    others: tuple[Op, str, str]
    """The op, what the names of its weights begin with, and its settings."""
    record: Record
    described: Array
    """An array of its shape and type without numbers."""


class Repeats:
    """The steps of one model as they were done the last time."""

    def __init__(self, weights: Mapping[str, Weight]) -> None:
        self._weights = tuple(weights.items())
        self.known: dict[Any, Repeat] = {}
        """By the name of a step, and that of its weights where it is another."""
        self.undone: dict[tuple[str, Keep], Undone] = {}
        """By the name of a step, and what the trace keeps."""

    def of(self, weights: Mapping[str, Weight]) -> bool:
        """Whether these are, one by one, the weights that its steps have taken."""
        return tuple(weights.items()) == self._weights

    def learn(
        self,
        step: Any,
        op: Op,
        arrays: list[Array],
        operands: Sequence[Tensor | Weight | None],
        settings: Settings,
        out: Array,
    ) -> None:
        """Remembers a step that has just been done with these inputs, if it can be repeated."""
        arguments = lasting(op, operands, settings) if op.one_job else None
        found = None if arguments is None else repeat(op, arrays, settings, arguments, out)
        if found is not None:
            self.known[step] = found


def lasting(op: Op, operands: Sequence[Tensor | Weight | None], settings: Settings) -> list[Any] | None:
    """What `forward` takes of the weights; None where the numbers of one are made anew each time they are asked for."""
    arguments: list[Any] = []
    for kind, operand in zip(op.tensors, operands, strict=True):
        if isinstance(operand, Weight):
            found = operand.given(op, kind, settings)
            if not isinstance(found, PackedMatrix) and found is not operand.kept:
                return None
            arguments.append(found)
    return arguments
