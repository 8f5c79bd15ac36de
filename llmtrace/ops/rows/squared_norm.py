"""The squared norm of each row, as for the norm of a gradient."""

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.op import ordered_sum


def meaning(x: Array) -> Array:
    """x [*, C] → [*]: `Σ x·x` along the row."""
    return ordered_sum(x * x)


def explain(w: Derivation) -> None:
    """One sum of products of each number with itself."""
    row = w["x"][(*w.index, slice(None))]
    w.dot("out", row, row)


squared_norm = row_op(
    "squared_norm",
    "Σ x · x",
    meaning,
    explain,
    shapes={"x": "* C"},
    out="*",
    how=N_("the numbers in each row of {a}, each times itself, added up"),
)
