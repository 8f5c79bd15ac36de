"""The little language of `Op.shapes`: which sizes of which tensor must agree.

    "* T K"      any leading axes, the same for every tensor that has them, then T, then K
    "H·D"  "P+T" one axis whose size is a product or a sum of sizes
    "N≥1"        a size that may not be 0
    "* < V"      whole numbers from 0 to V − 1, not reals
    "N ?"        a tensor that may be absent (None)

and for settings, which are no tensors: "real" any number, "small" a number from 0, like an epsilon, "rate" a number
from 0 to below 1, "whole" a whole number from 0 to 2^53, "share" a number above 0 and up to 1, "count" a whole number
from 1 on (`llmtrace.ops.ranges`), "H≥1" a size itself, and "turns weight" whether the axes of `weight` stand the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmtrace.ops.op import Op
from llmtrace.ops.ranges import RANGES

__all__ = ["KINDS", "Shape", "added", "fits", "letters", "parse", "size_of"]


KINDS = frozenset({"real", "small", *RANGES})
"""The kinds of settings that have no letter."""


@dataclass(frozen=True)
class Shape:
    """One entry of `Op.shapes`, taken apart."""

    leading: bool
    sizes: tuple[str, ...]
    below: str | None
    optional: bool

    def of(self, lead: tuple[int, ...], known: Mapping[str, int]) -> tuple[int, ...]:
        """The shape as numbers, once the leading axes and every letter are known."""
        return (*(lead if self.leading else ()), *(size_of(size, known) for size in self.sizes))


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


def letters(op: Op) -> dict[str, int]:
    """Every letter of the op's shapes with the least size that it may have."""
    found: dict[str, int] = {}
    for text in op.shapes.values():
        if text in KINDS or text.startswith("turns "):
            continue
        shape = parse(text)
        for size in (*shape.sizes, *([shape.below] if shape.below else [])):
            joint, parts, least = split(size)
            for letter in parts:
                found[letter] = max(found.get(letter, 0), 0 if joint else least)
    return found


def added(op: Op) -> frozenset[str]:
    """The letters that only stand in sums, such as the P of `P+T`, and not last: without them two axes are of one size."""
    every = [split(size) for name in (*op.inputs, *op.weights) for size in parse(op.shapes[name]).sizes]
    alone = {letter for joint, parts, _ in every for letter in (parts[-1:] if joint == "+" else parts)}
    return frozenset(letter for _, parts, _ in every for letter in parts if letter not in alone)


def fits(op: Op, shapes: Mapping[str, tuple[int, ...] | None], settings: Mapping[str, Any]) -> bool:
    """Whether tensors of these shapes (None where absent) go together under the op's grammar."""
    equations: list[tuple[str, int]] = []
    leads: set[tuple[int, ...]] = set()
    for name, text in op.shapes.items():
        if name not in shapes:
            if split(text)[0] == "" and text.partition("≥")[0].isupper():
                equations.append((text, settings[name]))
            continue
        shape, found = parse(text), shapes[name]
        if found is None:
            if not shape.optional:
                return False
            continue
        if settings.get("transposed") and op.shapes["transposed"] == f"turns {name}":
            found = found[::-1]
        extra = len(found) - len(shape.sizes)
        if extra < 0 or (extra and not shape.leading):
            return False
        if shape.leading:
            leads.add(found[:extra])
        equations += zip(shape.sizes, found[extra:], strict=True)
    return len(leads) <= 1 and _solvable(equations)


def _solvable(equations: list[tuple[str, int]]) -> bool:
    known: dict[str, int] = {}
    for size, number in equations:
        joint, parts, least = split(size)
        if not joint and (number < least or known.setdefault(parts[0], number) != number):
            return False
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
                return False
        if known[unknown[0] if unknown else first] < 0 or size_of(size, known) != number:
            return False
    return True
