"""Derivation: what an op's `explain` writes its lines on, one elementary operation a line.

Every line is computed as it is written, from the recorded inputs, by `llmtrace.arithmetic.operations` and not by the kernels;
so a finished derivation is already a replay, and its last line must have the recorded bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from llmtrace.arithmetic.lines import Constant, Elements, Line, Operand, Result
from llmtrace.arithmetic.operations import compute
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.frozen import frozen


class Source(Protocol):
    """Where the numbers are: `llmtrace.trace.Trace`."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor."""

    def elements(self, name: str, index: tuple[Any, ...]) -> Array:
        """Some of its numbers."""

    def axes(self, name: str) -> Axes:
        """The names of its axes."""


class Recorded(Protocol):
    """What was recorded of the step: `llmtrace.trace.Record`."""

    @property
    def operands(self) -> Mapping[str, str | None]:
        """The names of its inputs and weights, by the op's names for them."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its settings."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its output."""

    @property
    def dtype(self) -> str:
        """Of its output."""


@frozen
class Handle:
    """A tensor by name; indexing gives Elements. An index entry is an integer, an array of integers, or a slice."""

    name: str
    axes: Axes
    shape: tuple[int, ...]
    source: Source

    def __getitem__(self, index: Any) -> Elements:
        whole = tuple(
            np.arange(size)[part] if isinstance(part, slice) else part
            for part, size in zip(index if isinstance(index, tuple) else (index,), self.shape, strict=True)
        )
        return Elements(self.name, self.axes, whole, self.source.elements(self.name, whole))


class Derivation:
    """The lines of one element's explanation, written one after the other."""

    def __init__(self, source: Source, step: Recorded, index: tuple[int, ...]) -> None:
        self._source = source
        self._operands = step.operands
        self.settings: Mapping[str, Any] = step.settings
        self.shape: tuple[int, ...] = step.shape
        self.index = index
        self.lines: list[Line] = []
        self.real = np.dtype(step.dtype)

    def __getitem__(self, operand: str) -> Handle:
        """An input or a weight, by the op's name for it."""
        name = self._operands[operand]
        assert name is not None, f"this step has no {operand}"
        return Handle(name, self._source.axes(name), self._source.shape(name), self._source)

    def has(self, name: str) -> bool:
        """Whether this step has that input or weight: a bias may be absent."""
        return self._operands[name] is not None

    def constant(self, value: float, text: str) -> Constant:
        """A number that the formula brings in, rounded to the type of the calculation."""
        with np.errstate(all="ignore"):  # a factor beyond float32 becomes infinite, as it did when the op was done
            return Constant(text, np.asarray(value, self.real))

    def count(self, value: int, text: str) -> Constant:
        """A whole number that the formula brings in."""
        return Constant(text, np.asarray(value, np.int64))

    def _line(self, operation: str, name: str, *operands: Operand) -> Result:
        name = self._unused(name)
        values = compute(operation, *(operand.values for operand in operands))
        self.lines.append(Line(name, operation, operands, values))
        return Result(name, values)

    def _unused(self, name: str) -> str:
        if any(line.name == name for line in self.lines):
            raise ValueError(f"two lines are named {name!r}")
        return name

    def add(self, name: str, a: Operand, b: Operand) -> Result:
        """`a + b`."""
        return self._line("add", name, a, b)

    def subtract(self, name: str, a: Operand, b: Operand) -> Result:
        """`a − b`."""
        return self._line("subtract", name, a, b)

    def multiply(self, name: str, a: Operand, b: Operand) -> Result:
        """`a × b`."""
        return self._line("multiply", name, a, b)

    def divide(self, name: str, a: Operand, b: Operand) -> Result:
        """`a ÷ b`."""
        return self._line("divide", name, a, b)

    def negate(self, name: str, x: Operand) -> Result:
        """`−x`."""
        return self._line("negate", name, x)

    def root(self, name: str, x: Operand) -> Result:
        """`√x`."""
        return self._line("root", name, x)

    def exp(self, name: str, x: Operand) -> Result:
        """`exp(x)`."""
        return self._line("exp", name, x)

    def log(self, name: str, x: Operand) -> Result:
        """`log(x)`."""
        return self._line("log", name, x)

    def tanh(self, name: str, x: Operand) -> Result:
        """`tanh(x)`."""
        return self._line("tanh", name, x)

    def erf(self, name: str, x: Operand) -> Result:
        """`erf(x)`."""
        return self._line("erf", name, x)

    def sin(self, name: str, x: Operand) -> Result:
        """`sin(x)`, x in radians."""
        return self._line("sin", name, x)

    def cos(self, name: str, x: Operand) -> Result:
        """`cos(x)`, x in radians."""
        return self._line("cos", name, x)

    def relu(self, name: str, x: Operand) -> Result:
        """`x` where positive, else 0."""
        return self._line("relu", name, x)

    def absolute(self, name: str, x: Operand) -> Result:
        """`|x|`."""
        return self._line("absolute", name, x)

    def above(self, name: str, x: Operand, limit: Operand, then: Operand, otherwise: Operand) -> Result:
        """`then` where x > limit, `otherwise` where x ≤ limit, NaN where x or limit is NaN."""
        return self._line("above", name, x, limit, then, otherwise)

    def sum(self, name: str, row: Operand, start: Operand | None = None) -> Result:
        """`Σ row`, from +0 or from `start`, left to right."""
        return self._line("sum", name, row) if start is None else self._line("sum_from", name, row, start)

    def dot(self, name: str, a: Operand, b: Operand, start: Operand | None = None) -> Result:
        """`Σ a × b`: each product rounded, then added, from +0 or from `start`, left to right."""
        return self._line("dot", name, a, b) if start is None else self._line("dot_from", name, a, b, start)

    def maximum(self, name: str, row: Operand) -> Result:
        """The largest of a row."""
        return self._line("maximum", name, row)

    def argmax(self, name: str, row: Operand) -> Result:
        """The place of the largest of a row, the first of equals."""
        return self._line("argmax", name, row)

    def ahead(self, name: str, row: Operand, place: Operand) -> Result:
        """How many numbers of a row come before the one at `place`, from the largest on; of equals, the first comes first."""
        return self._line("ahead", name, row, place)

    def keep(self, name: str, x: Operand, measure: Operand, limit: Operand) -> Result:
        """`x`, or −∞ where the measure has reached the limit."""
        return self._line("keep", name, x, measure, limit)

    def first_above(self, name: str, row: Operand, limit: Operand) -> Result:
        """The first place of a row where its running total is above the limit."""
        return self._line("first_above", name, row, limit)

    def take(self, name: str, x: Operand) -> Result:
        """A number that is only passed on."""
        return self._line("take", name, x)

    def look_up(self, name: str, row: Operand, value: Operand) -> Result:
        """A number read from row `row` of a table."""
        return self._line("look_up", name, row, value)

    def masked(self, name: str, value: float) -> Result:
        """A place that is not computed, and what stands there instead."""
        return self._line("masked", name, self.constant(value, "masked"))
