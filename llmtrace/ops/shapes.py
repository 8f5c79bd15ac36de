"""The little language of `Op.shapes` and `Op.out`: which sizes of which tensor must agree, and what settings may be.

    "* T K"      any leading axes, the same for every tensor that has them, then T, then K
    "H·D"  "P+T" one axis whose size is a product or a sum of sizes
    "N≥1"        a size that may not be 0
    "* < V"      whole numbers from 0 to V − 1, not reals
    "N ?"        a tensor that may be absent (None)

and for settings, which are no tensors: "real" any number, "small" a number from 0, like an epsilon, one of `RANGES`, "H≥1" a
size itself, and "turns weight" whether the axes of `weight` stand the other way round.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from llmtrace.arithmetic.types import Axes
from llmtrace.frozen import frozen

__all__ = [
    "KINDS",
    "RANGES",
    "Shape",
    "added",
    "axes_by_letters",
    "expect_within",
    "fits",
    "letters",
    "parse",
    "size_of",
    "solved",
    "split",
]


class Range(NamedTuple):
    """The values of one kind of setting."""

    holds: Callable[[Any], bool]
    words: str


RANGES = {
    "rate": Range(lambda value: 0 <= value < 1, "from 0 to below 1"),
    "share": Range(lambda value: 0 < value <= 1, "above 0 and at most 1"),
    "whole": Range(lambda value: isinstance(value, int) and 0 <= value <= 1 << 53, "a whole number from 0 to 2^53"),
    "flag": Range(lambda value: isinstance(value, bool), "true or false"),
    "count": Range(lambda value: isinstance(value, int) and value >= 1, "a whole number of at least 1"),
}
"""The kinds "real" and "small" have no bounds: the arithmetic takes what comes."""

KINDS = frozenset({"real", "small", *RANGES})
"""The kinds of settings that have no letter."""


def expect_within(kind: str, **settings: Any) -> None:
    """ValueError where a setting can't be of that kind."""
    for name, value in settings.items():
        if not RANGES[kind].holds(value):
            raise ValueError(f"{name} must be {RANGES[kind].words}, not {value!r}")


@frozen
class Shape:
    """One entry of `Op.shapes`, taken apart."""

    leading: bool
    sizes: tuple[str, ...]
    below: str | None
    optional: bool

    def of(self, leading: tuple[int, ...], known: Mapping[str, int]) -> tuple[int, ...]:
        """The shape as numbers, once the leading axes and every letter are known."""
        return (*(leading if self.leading else ()), *(size_of(size, known) for size in self.sizes))


@lru_cache(maxsize=1024)
def parse(text: str) -> Shape:
    """`"* T H·D ?"` → leading axes, the sizes T and H·D, may be absent."""
    words = text.split()
    optional = words[-1:] == ["?"]
    if optional:
        words = words[:-1]
    below = words[words.index("<") + 1] if "<" in words else None
    if below:
        words = words[: words.index("<")]
    leading = words[:1] == ["*"]
    return Shape(leading, tuple(words[1:] if leading else words), below, optional)


def split(size: str) -> tuple[str, list[str], int]:
    """What joins the letters of a size (`·`, `+` or nothing), the letters, and the least that it may be."""
    size, _, least = size.partition("≥")
    joint = "·" if "·" in size else "+" if "+" in size else ""
    return joint, size.split(joint) if joint else [size], int(least or 0)


def size_of(size: str, known: Mapping[str, int]) -> int:
    """The number that a size stands for."""
    joint, parts, _ = split(size)
    first, *others = (known[letter] for letter in parts)
    for other in others:
        first = first * other if joint == "·" else first + other
    return first


def letters(shapes: Mapping[str, str]) -> dict[str, int]:
    """Every letter of an op's shapes with the least size that it may have."""
    found: dict[str, int] = {}
    for text in shapes.values():
        if text in KINDS or text.startswith("turns "):
            continue
        shape = parse(text)
        for size in (*shape.sizes, *([shape.below] if shape.below else [])):
            joint, parts, least = split(size)
            for letter in parts:
                found[letter] = max(found.get(letter, 0), 0 if joint else least)
    return found


def added(shapes: Mapping[str, str], tensors: Axes) -> frozenset[str]:
    """The letters that only stand in sums, such as the P of `P+T`, and not last: without them two axes are of one size."""
    every = [split(size) for name in tensors for size in parse(shapes[name]).sizes]
    alone = {letter for joint, parts, _ in every for letter in (parts[-1:] if joint == "+" else parts)}
    return frozenset(letter for _, parts, _ in every for letter in parts if letter not in alone)


def axes_by_letters(tensors: Sequence[str], out: str) -> Callable[..., Axes]:
    """How the axes of a result are called, by those of the tensors: as the first axis of the same size in these shapes is.

    ValueError where no tensor that is there has such an axis: whoever does the op must say the names then.
    """
    parsed, result = [parse(text) for text in tensors], parse(out)

    @lru_cache(maxsize=64)
    def axes(*given: Axes | None) -> Axes:
        """The names, from those of the inputs and weights; None for one that is absent."""
        leading: Axes | None = None
        named: dict[str, str] = {}
        for shape, names in zip(parsed, given, strict=False):
            if names is not None:
                count = len(names) - len(shape.sizes)
                leading = names[:count] if leading is None and shape.leading else leading
                for size, name in zip(shape.sizes, names[count:], strict=True):
                    named.setdefault(size.partition("≥")[0], name)
        if not {*result.sizes} <= {*named} or (result.leading and leading is None):
            raise ValueError(f"nothing says how the axes {out} of the result are called: give their names")
        return (*((leading or ()) if result.leading else ()), *(named[size] for size in result.sizes))

    return axes


def fits(texts: Mapping[str, str], shapes: Mapping[str, tuple[int, ...] | None], settings: Mapping[str, Any]) -> bool:
    """Whether tensors of these shapes (None where absent) go together under an op's `texts`."""
    return solved(texts, shapes, settings) is not None


def solved(
    texts: Mapping[str, str], shapes: Mapping[str, tuple[int, ...] | None], settings: Mapping[str, Any]
) -> tuple[tuple[int, ...], dict[str, int]] | None:
    """The leading axes and the size of every letter, by the shapes of the tensors; None where they do not go together."""
    equations: list[tuple[str, int]] = []
    leads: set[tuple[int, ...]] = set()
    for name, text in texts.items():
        if name not in shapes:
            if split(text)[0] == "" and text.partition("≥")[0].isupper():
                equations.append((text, settings[name]))
            continue
        shape, found = parse(text), shapes[name]
        if found is None:
            if not shape.optional:
                return None
            continue
        if settings.get("transposed") and texts["transposed"] == f"turns {name}":
            found = found[::-1]
        extra = len(found) - len(shape.sizes)
        if extra < 0 or (extra and not shape.leading):
            return None
        if shape.leading:
            leads.add(found[:extra])
        equations += zip(shape.sizes, found[extra:], strict=True)
    known = _solved(equations)
    return None if len(leads) > 1 or known is None else (next(iter(leads), ()), known)


def _solved(equations: list[tuple[str, int]]) -> dict[str, int] | None:
    known: dict[str, int] = {}
    for size, number in equations:
        joint, parts, least = split(size)
        if not joint and (number < least or known.setdefault(parts[0], number) != number):
            return None
    for size, number in equations:
        joint, (first, *rest), _ = split(size)
        if not joint:
            continue
        unknown = [letter for letter in (first, *rest) if letter not in known]
        if len(unknown) == 1:
            others = [known[letter] for letter in (first, *rest) if letter in known]
            other = sum(others) if joint == "+" else math.prod(others)
            if joint == "+":
                known[unknown[0]] = number - other
            elif other and number % other == 0:
                known[unknown[0]] = number // other
            else:
                return None
        if known[unknown[0] if unknown else first] < 0 or size_of(size, known) != number:
            return None
    return known
