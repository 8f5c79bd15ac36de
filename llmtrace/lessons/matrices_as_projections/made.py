"""What the lesson makes by one matrix product: the product of two matrices, and projections of points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.matrices_as_projections.words import LEGEND
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Run, Trace

CORNERS = "ABCDEFGH"
CUBE = np.array([(x, y, z) for z in (-1, 1) for y in (1, -1) for x in (-1, 1)], np.float32)
FAR = 4
"""How many such steps as lead to the second point the far cube is behind the near one."""


def multiplied(name: str, a: Array, b: Array) -> Trace:
    """The product of two matrices, as a step of that name."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        first, second = run.leaf("a", a, ("row", "place")), run.leaf("b", b, ("place", "column"))
        run.do(name, linear, (first, second, None), {}, ("row", "column"))
    return trace


def projected(names: Sequence[str], points: Array, screen: Array) -> Trace:
    """The projections of points in space, by their names."""
    trace = Trace({}, legend=LEGEND)
    trace.labels = {"point": names}
    with Run({}, trace) as run:
        room = run.leaf("room", points, ("point", "from"))
        onto = run.leaf("screen", screen, ("from", "number"))
        run.do("shadow.flat", linear, (room, onto, None), {}, ("point", "number"))
    return trace
