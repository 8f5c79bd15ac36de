"""Numbers of a lesson's traces that know where they are from, so that what shows them can lead to how they were made."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from llmtrace.trace import Trace


class Recorded(np.float32):
    """A number of a trace, with its place: the name that the lesson has for the trace, and the address."""

    place: str = ""

    @classmethod
    def at(cls, value: Any, place: str) -> Self:
        """A value and its place."""
        made = cls(value)
        made.place = place
        return made


def recorded(name: str, trace: Trace, tensor: str, index: tuple[int, ...]) -> Any:
    """The number at an index of a tensor, or lists of those at all places that begin with it."""
    shape = trace.shape(tensor)
    whole = tuple(range(size)[place] for place, size in zip(index, shape, strict=False))
    if len(whole) == len(shape):
        return Recorded.at(trace.elements(tensor, whole), f"{name} {trace.address(tensor, whole)}")
    return [recorded(name, trace, tensor, (*whole, place)) for place in range(shape[len(whole)])]
