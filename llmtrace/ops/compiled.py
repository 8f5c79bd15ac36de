"""What the compiled ops of one calculation per element, or per row, have in common."""

from __future__ import annotations

from collections.abc import Mapping

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.shapes import KINDS, parse, split


def elementwise(kernel: str, inputs: tuple[Array, ...], empty: Empty, *settings: float) -> Array:
    """The kernel of that name in csrc/kernels/elementwise.h, done on every element; the inputs have one shape and one type."""
    out = empty(inputs[0].shape, inputs[0].dtype)
    _kernels.elementwise(kernel, inputs, out, *settings)
    return out


def row_kernel(kernel: str, shapes: Mapping[str, str], out: str) -> _kernels.RowKernel:
    """The kernel of that name in csrc/kernels, as a function `kernel(inputs, empty, *settings)` that checks its inputs.

    shapes: as of the op, whose settings are passed over. out: the shape of the result, such as "* C"; where it is of whole
    numbers, "* < N".
    """
    tensors = {name: text for name, text in shapes.items() if text not in KINDS} | {"out": out}
    parsed = {}
    for name, text in tensors.items():
        shape = parse(text)
        sizes = tuple(split(size) for size in shape.sizes)
        parsed[name] = (shape.leading, sizes, shape.below, shape.optional)
    return _kernels.RowKernel(kernel, tensors, parsed)
