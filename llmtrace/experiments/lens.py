"""The logit lens (nostalgebraist 2020): what the model would expect next if it stopped after a block."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.ops import OPS
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import StepKind, Trace

STREAM = (StepKind.ENTRY, StepKind.AFTER_ATTENTION, StepKind.AFTER_MLP)


def lens(trace: Trace, position: int, *, attention: bool = False) -> list[tuple[str, Array]]:
    """The probabilities [V] of the next token after each block, by the model's own final norm and output matrix.

    The stages of the residual stream, from the embedding on, each with its name; attention: also after each attention.
    """
    found = []
    for name in trace.of_kind(*STREAM):
        if attention or trace.legend.kind(name) != StepKind.AFTER_ATTENTION:
            row = np.ascontiguousarray(trace.tensor(name)[position][None])
            for kind in (StepKind.FINAL_NORM, StepKind.LOGITS):
                row = _done(trace, kind, row)
            found.append((name, softmax.forward(row)[0]))
    return found


def _done(trace: Trace, kind: StepKind, x: Array) -> Array:
    """The step of that kind, done to other rows."""
    record = trace[trace.of_kind(kind)[0]].record
    weights: list[Any] = [None if name is None else np.ascontiguousarray(trace.tensor(name)) for name in record.weights]
    return OPS[record.op].forward(x, *weights, **record.settings)
