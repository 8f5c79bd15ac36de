"""Which values the settings of ops can have, by the kinds that `Op.shapes` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Range(NamedTuple):
    """The values of one kind of setting."""

    holds: Callable[[Any], bool]
    words: str


RANGES = {
    "rate": Range(lambda value: 0 <= value < 1, "from 0 to below 1"),
    "share": Range(lambda value: 0 < value <= 1, "above 0 and at most 1"),
    "whole": Range(lambda value: isinstance(value, int) and 0 <= value <= 1 << 53, "a whole number from 0 to 2^53"),
    "count": Range(lambda value: isinstance(value, int) and value >= 1, "a whole number of at least 1"),
}
"""The kinds "real" and "small" have no bounds: the arithmetic takes what comes."""


def expect_within(kind: str, **settings: Any) -> None:
    """ValueError where a setting can't be of that kind."""
    for name, value in settings.items():
        if not RANGES[kind].holds(value):
            raise ValueError(f"{name} must be {RANGES[kind].words}, not {value!r}")
