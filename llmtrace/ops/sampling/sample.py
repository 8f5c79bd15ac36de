"""Sampling by the inverse CDF: the token into whose interval of cumulative probability a random number falls."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array


def meaning(probabilities: Array, number: Array) -> Array:
    """probabilities [*, V], number [*] → [*]: the first place at which the running total (left to right) is above
    number · (the whole total). Where rounding leaves none, the last one above 0; where none is, the last of all.
    """
    total = np.zeros(number.shape, number.dtype)
    totals = np.empty_like(probabilities)
    for k in range(probabilities.shape[-1]):
        total = total + probabilities[..., k]
        totals[..., k] = total
    above = totals > (number * total)[..., None]
    last = probabilities.shape[-1] - 1
    return np.where(
        above.any(-1),
        above.argmax(-1),
        np.where((probabilities > 0).any(-1), last - (probabilities > 0)[..., ::-1].argmax(-1), last),
    )


def forward(probabilities: Array, number: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, row by row; int64."""
    expect_axes(probabilities, 1, "probabilities")
    for name, array in (("probabilities", probabilities), ("number", number)):
        expect_real(array, name)
    if number.dtype != probabilities.dtype:
        raise TypeError(f"number must be {probabilities.dtype} as the probabilities are, not {number.dtype}")
    if number.shape != probabilities.shape[:-1] or not probabilities.shape[-1]:
        raise ValueError(
            f"probabilities have shape {probabilities.shape} and number {number.shape}; give one number for each row"
            " of at least one probability"
        )
    rows, numbers = flatten_leading(probabilities, "probabilities"), flatten_leading(number, "number", 0)
    out = new_array(empty, number.shape, np.dtype(np.int64), probabilities, number)
    places = out.reshape(-1)  # `empty` gives memory without gaps: a view
    with _kernels.FloatState(), np.errstate(all="ignore"):
        for n, row in enumerate(rows):
            totals = np.add.accumulate(row)
            found = np.flatnonzero(totals > numbers.reshape(-1)[n] * totals[-1])[:1]
            if not found.size:
                found = np.flatnonzero(row > 0)[-1:]
            places[n] = found[0] if found.size else row.size - 1
    return out


def explain(w: Derivation) -> None:
    """The whole total, the number times it, and where the running total passes that."""
    row = w["probabilities"][(*w.index, slice(None))]
    limit = w.multiply("limit", w["number"][w.index], w.sum("whole total", row))
    w.first_above("out", row, limit)


sample = Op(
    "sample",
    N_("the first place where the running total of the probabilities is above number · (their whole total)"),
    meaning,
    forward,
    explain,
    inputs=("probabilities", "number"),
    shapes={"probabilities": "* V≥1", "number": "*"},
    out="* < V",
    how=N_("the place in {a} to which the random number {b} points"),
)
