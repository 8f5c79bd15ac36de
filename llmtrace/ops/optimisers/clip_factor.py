"""The factor that clips all gradients to a common norm (Pascanu et al. 2013, arXiv:1211.5063)."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(norm: Array, *, limit: float) -> Array:
    """`limit / norm` where norm > limit, NaN where it is NaN, else 1."""
    bound = norm.dtype.type(limit)
    return np.where(norm > bound, bound / norm, np.where(np.isnan(norm), norm, norm.dtype.type(1)))


def explain(w: Derivation) -> None:
    """One division, one comparison."""
    norm, limit = w["norm"][w.index], w.constant(w.settings["limit"], "limit")
    w.above("out", norm, limit, w.divide("share", limit, norm), w.constant(1, "1"))


clip_factor = elementwise_op(
    "clip_factor",
    N_("limit / norm if norm > limit else 1"),
    meaning,
    explain,
    settings={"limit": "small"},
    how=N_("the longest that is allowed, divided by {a}; 1 if that is not too long"),
)
