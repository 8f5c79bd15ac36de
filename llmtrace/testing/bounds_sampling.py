"""The bounds of the ops that choose a token. A choice is exact: the same numbers stay, unless two totals all but tie."""

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.testing.rounding import Close, Rounding

__all__ = ["SAMPLING"]


def order(row: Array) -> list[int]:
    """The places of a row from the largest number on, of equals the first."""
    return sorted(range(row.size), key=lambda place: -row[place])


def each_row(x: Array) -> tuple[Array, list[tuple[Array, Array]]]:
    """A result full of −∞, and its rows beside those of x."""
    out = np.full(x.shape, -np.inf)
    rows = (int(np.prod(x.shape[:-1])), x.shape[-1])
    return out, list(zip(x.reshape(rows), out.reshape(rows), strict=True))


def top_k(r: Rounding, x: Array, k: int) -> Close:
    """The k largest, exactly."""
    out, rows = each_row(x)
    for row, kept in rows:
        places = order(row)[:k]
        kept[places] = row[places]
    return Close(out, np.zeros_like(out))


def top_p(r: Rounding, x: Array, p: float) -> Close:
    """The largest whose shares reach p; the sums are float64's."""
    out, rows = each_row(x)
    for row, kept in rows:
        places = order(row)
        shares = np.exp(row - row.max(initial=-np.inf)) / np.exp(row - row.max(initial=-np.inf)).sum()
        before = np.cumsum([0.0, *shares[places]])[:-1]
        places = [place for place, total in zip(places, before, strict=True) if total < p]
        kept[places] = row[places]
    return Close(out, np.zeros_like(out))


def sample(r: Rounding, probabilities: Array, number: Array) -> Close:
    """The place, exactly."""
    _out, rows = each_row(probabilities)
    places = []
    for (row, _kept), drawn in zip(rows, number.reshape(-1), strict=True):
        totals = np.cumsum(row)
        above = [place for place in range(row.size) if totals[place] > drawn * totals[-1]]
        places.append((above or [place for place in range(row.size) if row[place] > 0][-1:] or [row.size - 1])[0])
    return r.exact(np.array(places, np.float64).reshape(number.shape))


def repetition_penalty(r: Rounding, x: Array, tokens: Array, penalty: float) -> Close:
    """One quotient or product for each token that has come."""
    named = (tokens[..., None, :] == np.arange(x.shape[-1])[:, None]).any(-1)
    own, p = r.exact(x), r.constant(penalty)
    with np.errstate(all="ignore"):
        less = r.above(own, r.exact(np.zeros(())), r.divide(own, p), r.multiply(own, p))
    there = named & ~np.isnan(x)
    return Close(np.where(there, less.value, x), np.where(there, less.error, 0))


SAMPLING: dict[str, Callable[..., Close]] = {
    "argmax": lambda r, x: r.exact(np.argmax(x, axis=-1)),
    "repetition_penalty": repetition_penalty,
    "sample": sample,
    "top_k": top_k,
    "top_p": top_p,
}
