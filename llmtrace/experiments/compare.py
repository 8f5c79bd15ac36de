"""Where two runs part: the first number with other bits, and how far each step is from that of the other run."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from llmtrace.arithmetic.bits import other_bits
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.trace import StepKind, Trace

STREAM = (StepKind.ENTRY, StepKind.AFTER_ATTENTION, StepKind.AFTER_MLP)
PLACES = {"position", "query", "key"}
"""The axes that count tokens."""


@frozen
class Difference:
    """A step in both runs. Numbers are compared where the runs have read the same tokens, or tokens in place of each other."""

    name: str
    size: int
    """How many numbers were compared."""
    differ: int
    """How many of them have other bits."""
    largest: float
    """The largest distance of two of them."""
    relative: float
    """The same, as a share of the largest number of the step."""
    units: int
    """The largest distance, counted in neighbouring floating-point numbers (units in the last place)."""
    at: tuple[str, str]
    """The addresses, in each run, of the first number that differs; empty where none does."""
    numbers: tuple[Any, Any]
    """Both numbers there."""


@dataclass
class Comparison:
    """Two runs, step by step."""

    a: Trace
    b: Trace
    places: list[tuple[int, int]]
    """The places of the tokens that stand for each other, in each run."""
    steps: list[Difference] = field(default_factory=list)
    misshapen: list[str] = field(default_factory=list)
    """The steps that both have, but with other sizes."""
    missing: tuple[list[str], list[str]] = ([], [])
    """The steps that only the first run has, and only the second one."""

    @property
    def first(self) -> Difference | None:
        """The first step with a number that differs."""
        return next((step for step in self.steps if step.differ), None)

    def streams(self) -> tuple[list[str], Array]:
        """How far apart the residual streams are: the steps of both runs that are its stages, and a distance for each and place.

        The distance [step, place] of two rows is the largest one of their numbers, as a share of the largest number of both.
        """
        names = [] if self.a.batch else [each for each in self.a.of_kind(*STREAM) if each in self.b]
        far = []
        for name in names:
            pair = _numbers(self, name)
            if pair is not None:
                rows = [np.asarray(each, np.float64) for each in pair]
                most = np.maximum(*(np.abs(each).max(-1, initial=0.0) for each in rows))
                with np.errstate(all="ignore"):
                    far.append(np.where(most > 0, np.abs(rows[0] - rows[1]).max(-1, initial=0.0) / most, 0.0))
        if not far or len(far) < len(names):  # none, or of other sizes
            return [], np.zeros((0, 0))
        return names, np.array(far)

    def tokens(self) -> list[tuple[int, int, list[str], list[str]]]:
        """Where the texts differ: a place in each, and the tokens that only the first and only the second has there."""
        if self.a.batch:
            return []
        found = []
        for kind, i, end_i, j, end_j in _opcodes(self.a, self.b):
            if kind != "equal":
                old, new = self.a.tokens[self.a.past :], self.b.tokens[self.b.past :]
                found.append((i, j, old[i:end_i], new[j:end_j]))
        return found

    def choices(self) -> list[tuple[int, int, int, int]]:
        """Where the likeliest next token is another one: both places, and both tokens."""
        names = [trace.of_kind(StepKind.NEXT_TOKEN) for trace in (self.a, self.b)]
        if not all(names) or self.a.batch:
            return []
        ids = [trace.tensor(found[0]) for trace, found in zip((self.a, self.b), names, strict=True)]
        return [(i, j, int(ids[0][i]), int(ids[1][j])) for i, j in self.places if ids[0][i] != ids[1][j]]


def compare(a: Trace, b: Trace) -> Comparison:
    """Compares two runs, of two prompts, of two models, or of one model before and after an edit.

    Prompts of different lengths are aligned token by token; steps of models of different sizes by their names. Raises
    AddressError where one run is a batch and the other is not, or the batches have different sizes.
    """
    if a.batch != b.batch or (a.batch and [len(row) for row in a.tokens] != [len(row) for row in b.tokens]):
        raise AddressError(_("the runs can't be compared: they are batches of different sizes"))
    found = Comparison(a, b, _aligned(a, b))
    for name in a:
        if name not in b:
            continue
        pair = _numbers(found, name)
        if pair is None:
            found.misshapen.append(name)
        else:
            found.steps.append(_difference(found, name, *pair))
    found.missing = [name for name in a if name not in b], [name for name in b if name not in a]
    return found


def _aligned(a: Trace, b: Trace) -> list[tuple[int, int]]:
    """The places of tokens that are the same in both texts, and of those that stand in place of each other."""
    if a.batch:
        length = max(map(len, a.tokens)) - a.past
        return [(i, i) for i in range(length)]
    pairs: list[tuple[int, int]] = []
    for kind, i, end_i, j, end_j in _opcodes(a, b):
        if kind == "equal" or (kind == "replace" and end_i - i == end_j - j):
            pairs += zip(range(i, end_i), range(j, end_j), strict=True)
    return pairs


def _opcodes(a: Trace, b: Trace) -> list[tuple[str, int, int, int, int]]:
    """How the tokens of one text become those of the other."""
    return list(SequenceMatcher(None, a.tokens[a.past :], b.tokens[b.past :], autojunk=False).get_opcodes())


def _numbers(found: Comparison, name: str) -> tuple[Array, Array] | None:
    """The numbers of a step that stand for each other; None where its sizes are others."""
    if found.a.axes(name) != found.b.axes(name):
        return None
    arrays = []
    for side, trace in enumerate((found.a, found.b)):
        array = trace.tensor(name)
        for axis, of in enumerate(trace.axes(name)):
            if of in PLACES:
                array = np.take(array, _along(found, trace, of, side), axis)
        arrays.append(array)
    return (arrays[0], arrays[1]) if arrays[0].shape == arrays[1].shape and arrays[0].dtype == arrays[1].dtype else None


def _along(found: Comparison, trace: Trace, axis: str, side: int) -> list[int]:
    """The places along an axis that count; keys include those of a cache."""
    places = [pair[side] for pair in found.places]
    if axis != "key":
        return places
    return [*range(min(found.a.past, found.b.past)), *(trace.past + place for place in places)]


def _difference(found: Comparison, name: str, a: Array, b: Array) -> Difference:
    differ = other_bits(a, b)
    if not differ.any():
        return Difference(name, a.size, 0, 0.0, 0.0, 0, ("", ""), (None, None))
    with np.errstate(all="ignore"):
        far = np.abs(a.astype(np.float64) - b.astype(np.float64))
    far = np.where(np.isnan(far), np.where(differ, np.inf, 0.0), far)
    most = max(float(np.abs(x[np.isfinite(x)], dtype=np.float64).max(initial=0.0)) for x in (a, b))
    largest = float(far.max())
    first = tuple(int(i) for i in np.unravel_index(int(differ.argmax()), differ.shape))
    addresses = tuple(_address(found, trace, name, first, side) for side, trace in enumerate((found.a, found.b)))
    return Difference(
        name,
        a.size,
        int(np.count_nonzero(differ)),
        largest,
        largest / most if most else np.inf,
        _units(a[differ], b[differ]),
        (addresses[0], addresses[1]),
        (a[first], b[first]),
    )


def _address(found: Comparison, trace: Trace, name: str, place: tuple[int, ...], side: int) -> str:
    """The address of a compared number in one of the runs."""
    named = zip(trace.axes(name), place, strict=True)
    return trace.address(name, [_along(found, trace, axis, side)[i] if axis in PLACES else i for axis, i in named])


def _units(a: Array, b: Array) -> int:
    """The largest distance in floating-point numbers that lie between; 0 for whole numbers."""
    if a.dtype.kind != "f":
        return 0
    finite = np.isfinite(a) & np.isfinite(b)
    if not finite.any():
        return 0
    i, j = (_ordered(x[finite]) for x in (a, b))
    return int((np.maximum(i, j).view(np.uint64) - np.minimum(i, j).view(np.uint64)).max())


def _ordered(x: Array) -> Array:
    """Floating-point numbers as whole numbers in the same order, neighbours one apart."""
    bits = np.ascontiguousarray(x).view(f"i{x.dtype.itemsize}").astype(np.int64)
    least = np.int64(-(1 << (8 * x.dtype.itemsize - 1)))
    return np.asarray(np.where(bits < 0, least - bits, bits))
