"""The lines of a calculation: elements of tensors, constants, earlier results, and one elementary operation on them."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from llmtrace.arithmetic.operations import DOTS, SUMS, compute
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.frozen import frozen


@frozen
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


@frozen
class Constant:
    """A number that the formula itself brings in, such as √D; rounded to the type of the calculation."""

    text: str
    values: Array

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        return {"constant": self.text, **to_plain(self.values)}


@frozen
class Result:
    """The result of an earlier line of the same explanation."""

    line: str
    values: Array

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        return {"line": self.line}


Operand = Elements | Constant | Result


@frozen
class Line:
    """One elementary operation (see `llmtrace.arithmetic.operations`), done once, or for each element of a row."""

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
        """Which `count` elements of the line's row matter most, in the order in which they stand.

        Of a sum that ends in ∞ or NaN, those are the terms that made it so, and the largest others.
        """
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
        chosen = [int(i) for i in order[:count]]
        if self.operation in SUMS and count and not np.isfinite(self.values):
            totals = self.totals()
            broken = [int(np.argmax(wrong)) for wrong in (np.isnan(totals), ~np.isfinite(totals)) if wrong.any()]
            chosen = list(dict.fromkeys([*broken, *chosen]))[:count]
        return sorted(chosen)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in `Explanation.to_dict`."""
        operands = [operand.to_dict() for operand in self.operands]
        return {"name": self.name, "operation": self.operation, "operands": operands, **to_plain(self.values)}


def operand_from_dict(data: dict[str, Any], lines: dict[str, Line]) -> Operand:
    """The operand that its `to_dict` described; `lines` are the earlier ones, by name."""
    if "line" in data:
        return Result(data["line"], lines[data["line"]].values)
    if "constant" in data:
        return Constant(data["constant"], from_plain(data))
    index = tuple(np.asarray(part) if isinstance(part, list) else part for part in data["index"])
    return Elements(data["tensor"], tuple(data["axes"]), index, from_plain(data))


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    """As `str` has it, which asks NumPy's table of types each time."""
    return str(dtype)


def to_plain(values: Array) -> dict[str, Any]:
    """A number or a row of numbers as JSON can hold them, exactly: every float32 is a float64; not-finite ones are text."""

    def plain(number: float) -> Any:
        return number if math.isfinite(number) else str(number)

    numbers = values.tolist()
    return {"dtype": name_of(values.dtype), "values": [plain(n) for n in numbers] if values.ndim else plain(numbers)}


def from_plain(data: dict[str, Any]) -> Array:
    """The reverse of `to_plain`."""
    return np.asarray(data["values"]).astype(data["dtype"])
