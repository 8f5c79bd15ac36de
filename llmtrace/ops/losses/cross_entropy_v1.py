"""Cross-entropy in the order of version 1 of the trace format: no run makes it, but such traces are verified and explained.

Adding a large m first loses digits that taking off the score of the target does not bring back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.ops.compiled import row_kernel
from llmtrace.ops.losses.cross_entropy import SHAPES, axes, explain_parts
from llmtrace.ops.op import Op, ordered_sum

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


KERNEL = row_kernel("cross_entropy_v1", SHAPES, out="*")


def meaning(x: Array, target: Array) -> Array:
    """x [*, V], target [*] → [*]: (m + log Σ exp(x − m)) − x[target], m the largest of the row."""
    if not target.size:
        return np.zeros(target.shape, x.dtype)
    m = np.max(x, axis=-1)
    own = np.take_along_axis(x, target[..., None], axis=-1)[..., 0]
    return np.asarray((m + elementary.log(ordered_sum(elementary.exp(x - m[..., None])))) - own, x.dtype)


def forward(x: Array, target: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, compiled; a target that is no entry of the row raises IndexError."""
    return KERNEL((x, target), empty)


def explain(w: Derivation) -> None:
    """Maximum, each exponential, their sum, its logarithm; the score of the target is subtracted last."""
    own, m, total = explain_parts(w)
    w.subtract("out", w.add("logarithm of all", m, w.log("logarithm of the sum", total)), own)


cross_entropy_v1 = Op(
    "cross_entropy_v1",
    "(maximum + log Σ exp(x − maximum)) − x[target]",
    meaning,
    forward,
    explain,
    inputs=("x", "target"),
    shapes=SHAPES,
    axes=axes,
)
