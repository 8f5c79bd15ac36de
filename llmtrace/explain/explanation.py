"""An Explanation: one number, and every elementary operation that made it, as plain data that can be done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmtrace.arithmetic.bits import same_bits
from llmtrace.arithmetic.lines import Elements, Line, Result, from_plain, operand_from_dict
from llmtrace.arithmetic.operations import compute
from llmtrace.arithmetic.types import Array
from llmtrace.display import Displayed, above
from llmtrace.errors import ReplayError
from llmtrace.i18n import _


@dataclass(frozen=True, repr=False)
class Explanation(Displayed):
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
    note: str = field(default="", repr=False, compare=False)
    """What the reader should know of the address, if anything: another token that may have been meant."""

    @property
    def address(self) -> str:
        """The address of the explained number."""
        return self.element.address()

    @property
    def value(self) -> Any:
        """The explained number, a NumPy scalar of the type that it was computed in."""
        return self.element.values[()]

    def __repr__(self) -> str:
        return f"<Explanation of {self.address} = {self.value!s}>"

    def replay(self) -> Any:
        """Does every line again from its operands alone and returns the value; raises ReplayError where a bit differs."""
        if self.op and not self.lines:
            raise ReplayError(_("{address}: no line says how it was computed", address=self.address))
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
            operands = tuple(operand_from_dict(operand, lines) for operand in line["operands"])
            lines[line["name"]] = Line(line["name"], line["operation"], operands, from_plain(line))
        element = operand_from_dict(data["element"], {})
        assert isinstance(element, Elements)
        children = tuple(cls.from_dict(child) for child in data["children"])
        return cls(element, data["op"], data["formula"], data["sentence"], tuple(lines.values()), children)

    def show(self, depth: int | None = None, **options: Any) -> None:
        """Prints the explanation, `depth` steps deep or as deep as it is; options as of `llmtrace.render.show`."""
        deeper = depth is not None and self.source is not None
        above("llmtrace.render").show(
            self.source.explain(self.element.tensor, *self.element.place(), depth=depth) if deeper else self, **options
        )
