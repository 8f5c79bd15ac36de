"""Comparing arrays to the last bit, and saying where they differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array

__all__ = ["expect_same_bits", "expect_within", "same", "units_apart"]


def same(a: Array, b: Array) -> Array:
    """Element by element, whether the bits are the same; any NaN equals any other, −0 is not +0."""
    if a.dtype.kind != "f":
        return np.asarray(a == b)
    both_nan = np.isnan(a) & np.isnan(b)
    return np.asarray(both_nan | ((a == b) & (np.signbit(a) == np.signbit(b))))


def units_apart(a: Any, b: Any) -> Any:
    """How many floats lie from a to b, in units in the last place; −0 and +0 are 1 apart. A whole number, or of arrays an
    array of them (as Python's, which float64 may need).
    """

    def rank(x: Any) -> int:
        bits = int(x.view(f"u{x.itemsize}"))
        sign = 1 << (8 * x.itemsize - 1)
        return -1 - (bits - sign) if bits & sign else bits

    first, second = np.broadcast_arrays(np.asarray(a), np.asarray(b))
    apart = np.empty(first.shape, object)
    for place in np.ndindex(first.shape):
        apart[place] = abs(rank(first[place]) - rank(second[place]))
    return apart if apart.ndim else apart[()]


def number(x: Any) -> str:
    """A number as people read it and, where it is a float, its exact bits."""
    return f"{x} ({float(x).hex()})" if np.asarray(x).dtype.kind == "f" and np.isfinite(x) else str(x)


def described(arguments: Any) -> str:
    """The arguments, for the end of a message."""
    return f"\nwith {arguments}"


def expect_alike(actual: Any, expected: Array, what: str, arguments: Any) -> None:
    """AssertionError where it is not an array, or not of the expected type and shape."""
    if not isinstance(actual, np.ndarray | np.generic):
        raise AssertionError(f"{what} is {type(actual).__name__}, not a NumPy array{described(arguments)}")
    if actual.dtype != expected.dtype:
        raise AssertionError(f"{what} is {actual.dtype}, expected {expected.dtype}{described(arguments)}")
    if actual.shape != expected.shape:
        raise AssertionError(f"{what} has shape {actual.shape}, expected {expected.shape}{described(arguments)}")


def expect_same_bits(actual: Any, expected: Array, what: str, arguments: Any) -> None:
    """AssertionError with the first place that differs, both numbers and how far apart they are."""
    expect_alike(actual, expected, what, arguments)
    wrong = ~same(np.asarray(actual), expected)
    if not wrong.any():
        return
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    got, right = np.asarray(actual)[place], expected[place]
    apart = ""
    if expected.dtype.kind == "f" and not (np.isnan(got) or np.isnan(right)):
        apart = f", {units_apart(got, right)} units in the last place apart"
    raise AssertionError(
        f"{what}: {int(wrong.sum())} of {wrong.size} numbers differ. At {list(place)}: expected {number(right)},"
        f" got {number(got)}{apart}{described(arguments)}"
    )


def expect_within(actual: Any, value: Array, error: Array, what: str, arguments: Any) -> None:
    """AssertionError where |actual − value| > error; where the value is not finite, the two must be the same."""
    got = np.asarray(actual).astype(np.float64)
    if got.shape != value.shape:
        raise AssertionError(f"{what} has shape {got.shape}, expected {value.shape}{described(arguments)}")
    if not np.all(np.isfinite(error)):
        raise AssertionError(f"{what}: the bound says nothing here{described(arguments)}")
    with np.errstate(invalid="ignore"):
        right = np.where(np.isfinite(value), np.abs(got - value) <= error, same(got, value))
    if right.all():
        return
    place = tuple(int(i) for i in np.argwhere(~right)[0])
    raise AssertionError(
        f"{what}: {int((~right).sum())} of {right.size} numbers are too far off. At {list(place)}:"
        f" expected {value[place]} within {error[place]:.3g}, got {got[place]},"
        f" off by {abs(got[place] - value[place]):.3g}{described(arguments)}"
    )
