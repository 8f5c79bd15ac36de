"""What steps that are done for token after token take of the weights, looked up for the first of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from llmtrace._kernels import PackedMatrix
from llmtrace.ops import Op, Tensor, Weight


class Given(NamedTuple):
    """What `forward` takes behind the inputs: None for absent ones, and the weights; and how the step was asked for."""

    asked: tuple[Op, int, str, bool] | None
    """The op, how many inputs, what the names of its weights begin with, and whether they are transposed."""
    arguments: Sequence[Any]


NOT_GIVEN = Given(None, ())
"""What no step asks for."""


def fixed(op: Op, operands: Sequence[Tensor | Weight | None], settings: Mapping[str, Any]) -> list[Any] | None:
    """The arguments of `Given`; None where a weight's numbers are made anew each time they are asked for."""
    arguments: list[Any] = []
    for kind, operand in zip(op.tensors, operands, strict=True):
        if isinstance(operand, Weight):
            found = operand.given(op, kind, settings)
            if not isinstance(found, PackedMatrix) and found is not operand.kept:
                return None
            arguments.append(found)
        elif operand is None:
            arguments.append(None)
    return arguments
