"""The error bound of an op of one calculation per element or per row: what its `explain` writes, in the arithmetic of `Rounding`.

All elements are computed at once. An index is not looked at: the row of an element, and the element itself, are both the whole
tensor [*, C], and a sum along a row is [*, 1], which goes with all elements of the row.
"""

from typing import Any, cast

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.ops import Op
from llmtrace.ops.shapes import Shape, parse
from llmtrace.testing.rounding import Close, Rounding, last

__all__ = ["derived_bound", "is_derived"]

ALONG_ROWS = frozenset({"sum", "dot"})


def is_derived(op: Op) -> bool:
    """Whether every tensor has an element for each of the result, one for each row, one for each place of a row, or only one."""
    shapes = [parse(text) for text in (*(op.shapes[name] for name in op.tensors), op.out)]
    rows = {shape.sizes for shape in shapes} - {()}
    return (
        len(rows) <= 1
        and all(len(row) == 1 for row in rows)
        and not any(shape.below or shape.optional for shape in shapes)
    )


def derived_bound(op: Op, r: Rounding, tensors: dict[str, Array], settings: dict[str, Any]) -> Close:
    """The value of the op, and a bound on the error of every element."""
    shapes = {name: parse(op.shapes[name]) for name in tensors}
    by_row = any(shape.sizes for shape in shapes.values())
    lines = RoundedLines(
        r, {name: WholeTensor(r, tensor, shapes[name], by_row) for name, tensor in tensors.items()}, settings
    )
    op.explain(cast(Derivation, lines))
    out = lines.last
    return Close(out.value[..., 0], out.error[..., 0]) if by_row and not parse(op.out).sizes else out


class RoundedLines:
    """What `explain` takes for a `Derivation`; every line is computed for all elements, with its error."""

    def __init__(self, r: Rounding, tensors: "dict[str, WholeTensor]", settings: dict[str, Any]) -> None:
        self._r, self._tensors = r, tensors
        self.settings, self.index = settings, (..., ...)
        self.last: Close

    def __getitem__(self, name: str) -> "WholeTensor":
        return self._tensors[name]

    def constant(self, value: float, text: str) -> Close:
        """A number of the formula."""
        return self._r.constant(value)

    def take(self, name: str, x: Close) -> Close:
        """A number that is only passed on."""
        self.last = x
        return x

    def __getattr__(self, operation: str) -> Any:
        def line(name: str, *operands: Close) -> Close:
            result = getattr(self._r, operation)(*operands)
            self.last = last(result) if operation in ALONG_ROWS else result
            return self.last

        return line


class WholeTensor:
    """A tensor of which any index is the whole."""

    def __init__(self, r: Rounding, tensor: Array, shape: Shape, by_row: bool) -> None:
        self.shape = tensor.shape
        whole = r.exact(tensor)
        self._whole = last(whole) if by_row and shape.leading and not shape.sizes else whole

    def __getitem__(self, index: Any) -> Close:
        return self._whole
