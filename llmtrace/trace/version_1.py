"""What version 1 of the trace format called the ops and their settings, and how its steps are read today."""

from __future__ import annotations

from typing import Any

from llmtrace.i18n import _
from llmtrace.text import shown

RENAMED = {
    "append": "concatenate",
    "cross_entropy": "cross_entropy_v1",  # whose loss was computed in another order
    "descend": "sgd_step",
    "multiply_by": "multiply_scalar",
    "outer_sum": "sum_outer_products",
    "penalise": "regularise",
    "pick": "select",
    "positions": "slice_positions",
    "product_sum": "sum_products",
    "root": "sqrt",
    "row_squares": "squared_norm",
    "row_sum": "sum_positions",
    "same": "identity",
    "spread": "broadcast",
    "total": "sum_all",
    "velocity": "momentum",
}
SETTINGS = {
    "adam_mean": {"keep": "beta"},
    "adam_square": {"keep": "beta"},
    "adam_update": {"mean_share": "mean_correction", "square_share": "square_correction"},
}


def current(step: dict[str, Any]) -> dict[str, Any]:
    """A step of version 1 in the names of today; ValueError where its op has a name that version 1 did not know."""
    op, settings = step["op"], step["settings"]
    if op in RENAMED.values():
        raise ValueError(_("there is no op {name!r}", name=shown(op)))
    renamed = SETTINGS.get(op, {})
    return {
        **step,
        "op": RENAMED.get(op, op),
        "settings": {renamed.get(name, name): value for name, value in settings.items()},
    }
