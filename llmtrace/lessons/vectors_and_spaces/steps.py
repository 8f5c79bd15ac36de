"""The computations of the lesson on vectors: softmax, and the cosine of two vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmtrace.lessons.vectors_and_spaces.words import LEGEND
from llmtrace.ops import Tensor
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.sqrt import sqrt
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run, Trace

ONE = ("output",)


def softmax_trace(scores: Sequence[float]) -> Trace:
    """The softmax of some scores, recorded."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        run("softmax.shares", softmax, run.leaf("scores", np.array(scores, np.float32), ("score",)))
    return trace


def cosine_trace(first: Sequence[float], second: Sequence[float]) -> Trace:
    """The cosine of two vectors, step by step."""
    axes = ("number",)
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        a, b = (run.leaf(name, np.array(v, np.float32), axes) for name, v in (("a", first), ("b", second)))

        def dot(name: str, one: Tensor, other: Tensor) -> Tensor:
            row = run.leaf(f"{name}.of", other.data[None], ("output", *axes))
            return run.do(f"cosine.{name}", linear, (one, row, None), {"transposed": True}, ONE)

        lengths = [run(f"cosine.{name}.length", sqrt, dot(f"{name}.squares", v, v)) for name, v in (("a", a), ("b", b))]
        run("cosine", divide, dot("dot", a, b), run("cosine.lengths", multiply, *lengths))
    return trace
