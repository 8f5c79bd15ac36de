"""Which steps of a run are only written down when a trace keeps the residual stream, to be done when somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmtrace.ops import Tensor, Weight
from llmtrace.trace.legend import ENDING, PAIRS, SCORED
from llmtrace.trace.recompute import Unmade
from llmtrace.trace.trace import Trace

ROWS = 256
"""So many queries' scores are there at once where they are not kept."""
FEW = 16
"""The logits of so many tokens are made with the stream, and remembered: whoever records a run mostly looks at them, and by
themselves they would take longer."""


def later(trace: Trace, name: str, operands: Sequence[Tensor | Weight | None]) -> bool:
    """Whether a step is only written down: what so few rows need is done at once."""
    if trace.keep == "all":
        return False
    kind, first = trace.legend.kind(name), operands[0]
    if isinstance(first, Tensor) and kind in PAIRS and first.shape[-2] > ROWS:
        return True
    if isinstance(first, Tensor) and kind in SCORED and math.prod(first.shape[:-1]) <= FEW:
        return False
    return kind in ENDING or any([type(o) is Tensor and isinstance(o.data, Unmade) for o in operands])  # noqa: C419 - sooner done
