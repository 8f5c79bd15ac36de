"""A Step: one execution of an op, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.display import Displayed, above
from llmtrace.frozen import frozen
from llmtrace.ops import OPS, Op, Tensor, Weight

dtype_name = lru_cache(str)
"""What NumPy calls a dtype; it takes longer over that than over a small sum."""


class Tensors(Protocol):
    """Anything that knows tensors by name."""

    def tensor(self, name: str) -> Array:
        """The numbers of one."""


class Named(Mapping[str, Array]):
    """Some tensors of a trace by name, fetched when looked at."""

    def __init__(self, names: tuple[str | None, ...], tensors: Tensors) -> None:
        self._names = tuple(name for name in names if name is not None)
        self._tensors = tensors

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        return self._tensors.tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: array{self[name].shape}' for name in self)}}}"


@frozen
class Record:
    """What was done, without the numbers: the part of a Step that is written into a file's header.

    `weights` has an entry for each weight that the op can take; None where this step had none (a linear layer without bias).
    `inputs` may be short of the last ones that the op can take: a sum that starts at 0 has no `start`.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    weights: tuple[str | None, ...]
    settings: Mapping[str, Any]
    axes: Axes
    shape: tuple[int, ...]
    dtype: str

    @classmethod
    def made(cls, **fields: Any) -> Record:
        """A record of these fields, which must be all, and its `operands`. A run makes hundreds, and `__init__` takes four times
        as long.
        """
        record = cls.__new__(cls)
        record.__dict__.update(fields)
        return record

    @classmethod
    def of(
        cls,
        name: str,
        op: Op,
        operands: Sequence[Tensor | Weight | None],
        settings: Mapping[str, Any],
        axes: Axes | None,
        out: Array,
    ) -> Record:
        """The record of a step that gave `out`. axes: of that, where they are not those that the op makes of its operands'."""
        names = [None if o is None else o.name for o in operands]
        return cls.made(
            name=name,
            op=op.name,
            inputs=tuple([each for each in names[: len(op.inputs)] if each is not None]),
            weights=tuple(names[len(op.inputs) :]),
            settings=settings,
            axes=op.axes(*[None if o is None else o.axes for o in operands]) if axes is None else axes,
            shape=out.shape,
            dtype=dtype_name(out.dtype),
            operands=dict(zip(op.tensors, names, strict=True)),
        )

    @cached_property
    def operands(self) -> dict[str, str | None]:
        """The names of the inputs and weights, by the op's names for them; None for one that is absent."""
        op = OPS[self.op]
        inputs = (*self.inputs, *[None] * (len(op.inputs) - len(self.inputs)))
        return dict(zip(op.tensors, (*inputs, *self.weights), strict=True))


class Step(Displayed):
    """One step of a trace with its numbers: `inputs` and `weights` by name, `output`; all arrays are read-only."""

    def __init__(self, record: Record, trace: Any) -> None:
        self.record = record
        self.trace = trace
        """The Trace that it belongs to."""

    @property
    def name(self) -> str:
        """The stable dotted name, such as `block.0.attn.q`."""
        return self.record.name

    @property
    def op(self) -> str:
        """The name of the op in `llmtrace.ops.OPS`."""
        return self.record.op

    @property
    def settings(self) -> Mapping[str, Any]:
        """The op's settings, such as epsilon."""
        return self.record.settings

    @property
    def axes(self) -> Axes:
        """The names of the output's axes."""
        return self.record.axes

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The tensors that came in, by name, in the op's order."""
        return Named(self.record.inputs, self.trace)

    @property
    def weights(self) -> Mapping[str, Array]:
        """The model's weights that were used, by name, in the op's order."""
        return Named(self.record.weights, self.trace)

    @property
    def output(self) -> Array:
        """What came out: `trace.tensor` of the step's name."""
        out: Array = self.trace.tensor(self.record.name)
        return out

    def to_pandas(self) -> Any:
        """The output as a DataFrame whose rows and columns are named by tokens; a Series where it has one axis."""
        return self.trace.to_pandas(self.name)

    def show(self, *, every: bool = False, **asked: int) -> None:
        """Prints the step, or in a notebook shows it; asked: `head`, `neuron` or `position`, as `llmtrace show` takes them."""
        document = above("llmtrace.views.catalog").look(self.trace, self.name, every=every, **asked)
        above("llmtrace.render").show(document)

    def __repr__(self) -> str:
        shape = " × ".join(f"{size} {axis}" for axis, size in zip(self.axes, self.record.shape, strict=True))
        return f"<Step {self.name}: {self.op}({', '.join(self.record.inputs)}) → {shape or 'one number'}>"
