"""An Explanation: one number, and every elementary operation that made it, as plain data that can be done again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmtrace.errors import ReplayError
from llmtrace.explain.arithmetic import DOTS, SUMS, compute, same_bits
from llmtrace.ops.op import Array, Axes
from llmtrace.words import _


@dataclass(frozen=True)
class Elements:
    """Elements of one tensor, weight or input: a single number, or a row of them.

    `index` has an entry per axis, an integer or an array of integers (one per element of the row).
    """

    tensor: str
    axes: Axes
    index: tuple[Any, ...]
    values: Array

    def place(self, i: int = 0) -> tuple[int, ...]:
        """The index of the i-th element."""
        return tuple(int(part[i]) if isinstance(part, np.ndarray) else int(part) for part in self.index)

    def address(self, i: int = 0) -> str:
        """The i-th element as an address, such as `block.0.attn.q[head=2, position=4, feature=1]`."""
        parts = (f"{axis}={part}" for axis, part in zip(self.axes, self.place(i), strict=True))
        return f"{self.tensor}[{', '.join(parts)}]" if self.axes else self.tensor

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        index = [part.tolist() if isinstance(part, np.ndarray) else int(part) for part in self.index]
        return {"tensor": self.tensor, "axes": list(self.axes), "index": index, **to_plain(self.values)}


@dataclass(frozen=True)
class Constant:
    """A number that the formula itself brings in, such as √D; rounded to the type of the calculation."""

    text: str
    values: Array

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        return {"constant": self.text, **to_plain(self.values)}


@dataclass(frozen=True)
class Result:
    """The result of an earlier line of the same explanation."""

    line: str
    values: Array

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        return {"line": self.line}


Operand = Elements | Constant | Result


@dataclass(frozen=True)
class Line:
    """One elementary operation (see `llmtrace.explain.arithmetic`), done once, or for each element of a row."""

    name: str
    operation: str
    operands: tuple[Operand, ...]
    values: Array

    def terms(self) -> Array:
        """What a sum adds up, in order: shape [n]."""
        first = self.operands[0].values
        return compute("multiply", first, self.operands[1].values) if self.operation in DOTS else first

    @property
    def start(self) -> Operand | None:
        """Where a sum begins, unless at +0."""
        return self.operands[-1] if self.operation in SUMS and self.operation.endswith("_from") else None

    @property
    def rows(self) -> tuple[Operand, ...]:
        """The operands of a sum that it goes through, without where it begins."""
        return self.operands if self.start is None else self.operands[:-1]

    def totals(self) -> Array:
        """The running total after each term of a sum: shape [n]."""
        return (
            compute("totals", self.terms())
            if self.start is None
            else compute("totals_from", self.terms(), self.start.values)
        )

    def largest(self, count: int) -> list[int]:
        """Which `count` elements of the line's row matter most, in the order in which they stand."""
        if self.operation in SUMS:
            row = self.terms()
        elif self.values.ndim:
            row = self.values
        else:
            row = max((operand.values for operand in self.operands), key=np.size)
        if row.ndim == 0:
            return []
        size = np.nan_to_num(np.abs(row), nan=np.inf)
        by_value = self.operation in {"maximum", "argmax", "ahead"}
        order = np.argsort(-row if by_value else -size, kind="stable")
        return sorted(int(i) for i in order[:count])

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        operands = [operand.to_dict() for operand in self.operands]
        return {"name": self.name, "operation": self.operation, "operands": operands, **to_plain(self.values)}


@dataclass(frozen=True)
class Explanation:
    """Where one number came from. The value of the last line is the number.

    `children` explain the tensors' elements that this explanation leans on most, as deep as was asked for.
    """

    element: Elements
    op: str
    formula: str
    sentence: str
    lines: tuple[Line, ...]
    children: tuple[Explanation, ...] = ()
    source: Any = field(default=None, repr=False, compare=False)

    @property
    def address(self) -> str:
        """The address of the explained number."""
        return self.element.address()

    @property
    def value(self) -> Any:
        """The explained number, a NumPy scalar of the type that it was computed in."""
        return self.element.values[()]

    def replay(self) -> Any:
        """Does every line again from its operands alone and returns the value; raises ReplayError where a bit differs."""
        done: dict[str, Array] = {}
        for line in self.lines:
            operands = [done[o.line] if isinstance(o, Result) else o.values for o in line.operands]
            again = compute(line.operation, *operands)
            if not same_bits(again, line.values):
                raise ReplayError(
                    _(
                        "{address}: the line “{name}” says {values}, but doing it gives {again}",
                        address=self.address,
                        name=line.name,
                        values=line.values,
                        again=again,
                    )
                )
            done[line.name] = again
        if self.lines and not same_bits(self.lines[-1].values, self.element.values):
            raise ReplayError(
                _(
                    "{address} was recorded as {value}, but its formula gives {values}",
                    address=self.address,
                    value=self.value,
                    values=self.lines[-1].values,
                )
            )
        for child in self.children:
            if not any(same_bits(child.element.values, used) for used in self._used(child.element)):
                raise ReplayError(
                    _(
                        "{address} does not lean on {child} as it is explained: {value}",
                        address=self.address,
                        child=child.address,
                        value=child.value,
                    )
                )
            child.replay()
        return self.value

    def _used(self, element: Elements) -> Iterator[Array]:
        """The values that the lines take for one element of another tensor."""
        for line in self.lines:
            for operand in line.operands:
                if isinstance(operand, Elements) and operand.tensor == element.tensor:
                    same = [np.asarray(a) == b for a, b in zip(operand.index, element.place(), strict=True)]
                    places = np.broadcast_to(np.logical_and.reduce(np.broadcast_arrays(*same)), operand.values.shape)
                    yield from (np.asarray(value) for value in operand.values[places].reshape(-1)[:1])

    def leans_on(self, count: int = 3) -> Iterator[Elements]:
        """The elements of other tensors that matter most here: all single ones, and `count` of every row."""
        seen = {self.address}
        for line in self.lines:
            for i in line.largest(count) or [0]:
                for operand in line.operands:
                    if isinstance(operand, Elements) and operand.values.size and operand.address(i) not in seen:
                        seen.add(operand.address(i))
                        values = operand.values if operand.values.ndim == 0 else operand.values[i]
                        yield Elements(operand.tensor, operand.axes, operand.place(i), np.asarray(values))

    def to_dict(self) -> dict[str, Any]:
        """Plain data: dictionaries, lists, text and numbers; `from_dict` reads it back. Not-finite numbers are text."""
        return {
            "element": self.element.to_dict(),
            "address": self.address,
            "op": self.op,
            "formula": self.formula,
            "sentence": self.sentence,
            "lines": [line.to_dict() for line in self.lines],
            "children": [child.to_dict() for child in self.children],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Explanation:
        """The explanation that `to_dict` described; nothing is checked until `replay`."""
        lines: dict[str, Line] = {}
        for line in data["lines"]:
            operands = tuple(_operand(operand, lines) for operand in line["operands"])
            lines[line["name"]] = Line(line["name"], line["operation"], operands, from_plain(line))
        element = _operand(data["element"], {})
        assert isinstance(element, Elements)
        children = tuple(cls.from_dict(child) for child in data["children"])
        return cls(element, data["op"], data["formula"], data["sentence"], tuple(lines.values()), children)

    def show(self, depth: int | None = None, **options: Any) -> None:
        """Prints the explanation, `depth` steps deep or as deep as it is; options as of `llmtrace.render.show`."""
        from llmtrace.render import show  # the one door to the renderers

        deeper = depth is not None and self.source is not None
        show(
            self.source.explain(self.element.tensor, *self.element.place(), depth=depth) if deeper else self, **options
        )

    def __rich__(self) -> Any:
        from llmtrace.render import renderable  # the one door to the renderers

        return renderable(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from llmtrace.render.notebook import mimebundle  # the one door to the renderers

        return mimebundle(self, include, exclude)


def _operand(data: dict[str, Any], lines: dict[str, Line]) -> Operand:
    if "line" in data:
        return Result(data["line"], lines[data["line"]].values)
    if "constant" in data:
        return Constant(data["constant"], from_plain(data))
    index = tuple(np.asarray(part) if isinstance(part, list) else part for part in data["index"])
    return Elements(data["tensor"], tuple(data["axes"]), index, from_plain(data))


def to_plain(values: Array) -> dict[str, Any]:
    """A number or a row of numbers as JSON can hold them, exactly: every float32 is a float64; not-finite ones are text."""

    def plain(number: float) -> Any:
        return number if math.isfinite(number) else str(number)

    numbers = values.tolist()
    return {"dtype": str(values.dtype), "values": [plain(n) for n in numbers] if values.ndim else plain(numbers)}


def from_plain(data: dict[str, Any]) -> Array:
    """The reverse of `to_plain`."""
    return np.asarray(data["values"]).astype(data["dtype"])
