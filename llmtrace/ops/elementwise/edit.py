"""An edit: some numbers of a tensor replaced by others."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op


def meaning(x: Array, value: Array, kept: Array) -> Array:
    """`x` where kept > 0, NaN where kept is NaN, else `value`."""
    return np.where(kept > 0, x, np.where(np.isnan(kept), kept, value))


def explain(w: Derivation) -> None:
    """One comparison with 0."""
    w.above("out", w["kept"][w.index], w.constant(0, "0"), w["x"][w.index], w["value"][w.index])


edit = elementwise_op(
    "edit",
    N_("x if kept > 0 else value"),
    meaning,
    explain,
    how=N_("the numbers of {a}, but those of {b} where you have changed them"),
)
