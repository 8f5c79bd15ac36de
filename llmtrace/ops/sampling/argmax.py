"""The place of the largest number: the most likely next token."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op


def meaning(x: Array) -> Array:
    """Along the last axis; the first of equals; a NaN counts as largest."""
    return np.argmax(x, axis=-1)


def explain(w: Derivation) -> None:
    """One comparison of all."""
    w.argmax("out", w["x"][(*w.index, slice(None))])


argmax = row_op(
    "argmax",
    N_("the place of the largest x"),
    meaning,
    explain,
    shapes={"x": "* N≥1"},
    out="* < N",
    how=N_("each the place of the largest of the {n} numbers in a row of {a}"),
)
