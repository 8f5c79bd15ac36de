"""By what to multiply all gradients so that together they are no longer than a limit (Pascanu et al. 2013, arXiv:1211.5063)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.compiled import elementwise
from llmtrace.ops.op import Op

if TYPE_CHECKING:
    from llmtrace.arithmetic.derivation import Derivation


def meaning(norm: Array, *, limit: float) -> Array:
    """`limit / norm` where norm > limit, NaN where it is NaN, else 1."""
    bound = norm.dtype.type(limit)
    return np.where(norm > bound, bound / norm, np.where(np.isnan(norm), norm, norm.dtype.type(1)))


def forward(norm: Array, *, limit: float, empty: Empty = np.empty) -> Array:
    """The same, compiled."""
    return elementwise("clip_factor", (norm,), empty, limit)


def explain(w: Derivation) -> None:
    """One division, one comparison."""
    norm, limit = w["norm"][w.index], w.constant(w.settings["limit"], "limit")
    w.above("out", norm, limit, w.divide("share", limit, norm), w.constant(1, "1"))


clip_factor = Op(
    "clip_factor",
    N_("limit / norm if norm > limit else 1"),
    meaning,
    forward,
    explain,
    inputs=("norm",),
    shapes={"norm": "*", "limit": "small"},
)
