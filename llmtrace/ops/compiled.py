"""What the compiled ops of one calculation per element have in common."""

from __future__ import annotations

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Empty


def elementwise(kernel: str, inputs: tuple[Array, ...], empty: Empty, *settings: float) -> Array:
    """The kernel of that name in csrc/elementwise.h, done on every element; the inputs have one shape and one type."""
    out = empty(inputs[0].shape, inputs[0].dtype)
    _kernels.elementwise(kernel, inputs, out, *settings)
    return out
