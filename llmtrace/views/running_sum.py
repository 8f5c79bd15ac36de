"""A long sum: the terms that matter most where they stand, each stretch between them folded into one line.

The order of a sum is never changed, because another order would give other bits: what is shown is the true running
total before and after every stretch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmtrace.arithmetic.lines import Elements, Line, Operand
from llmtrace.arithmetic.operations import DOTS
from llmtrace.views.document import Fold, Number, RunningSum, Start, Term
from llmtrace.views.numbers import DIGITS, column, decimal, numbers
from llmtrace.views.operand_names import Names, axis_names

FEW = 8
"""Sums of which more terms than these are listed are shown with as few digits as any."""


@dataclass(frozen=True)
class Stretch:
    """Terms `first` to `last` of a sum; folded unless it is only one."""

    first: int
    last: int

    @property
    def folded(self) -> bool:
        """Whether it is more than one term."""
        return self.last > self.first


def stretches(terms: int, shown: list[int]) -> Iterator[Stretch]:
    """All terms of a sum in order: those in `shown` singly, the others in stretches between them."""
    begin = 0
    for i in [*shown, terms]:
        if begin < i:
            yield Stretch(begin, i - 1)
        if i < terms:
            yield Stretch(i, i)
        begin = i + 1


def running_sum(line: Line, names: Names, count: int, every: bool = False, always: tuple[int, ...] = ()) -> RunningSum:
    """The terms of a sum or of a sum of products, with the running total; those at the places `always` are not folded.

    `count` is how many of the largest terms are listed, unless it is `every` one.
    """
    terms, totals = line.terms(), line.totals()
    shown = list(range(len(terms))) if every else sorted({*line.largest(count), *always})
    parts = list(stretches(len(terms), shown))
    single = [part.first for part in parts if not part.folded]
    begin = terms.dtype.type(0) if line.start is None else line.start.values[()]
    before = [totals[part.first - 1] if part.first else begin for part in parts]
    added, after, earlier = _adding_up(parts, list(terms[single]), [totals[part.last] for part in parts], before)
    factors = [_factors(operand, single) for operand in line.rows] if line.operation in DOTS else []
    origin = names.origin(line)
    rows: list[Start | Term | Fold] = []
    if line.start is not None and parts:
        rows.append(Start(names.of(line.start), earlier[0]))
    products = zip(added, *factors, strict=True)
    for part, start, end in zip(parts, earlier, after, strict=True):
        if part.folded:
            first, last = (names.place(origin, i) for i in (part.first, part.last))
            rows.append(Fold(first, last, part.last - part.first + 1, start, end))
        else:
            product, *factor = next(products)
            rows.append(Term(names.label(origin, part.first), tuple(factor), product, end))
    letters = tuple(names.of(operand) for operand in line.rows)
    return RunningSum(axis_names(origin), letters, line.operation in DOTS, tuple(rows))


def _factors(operand: Operand, places: list[int]) -> tuple[Number, ...]:
    addresses = [operand.address(i) for i in places] if isinstance(operand, Elements) else []
    return numbers(operand.values[places], addresses=addresses)


def _adding_up(parts: list[Stretch], *columns: list[Any]) -> tuple[list[Number], ...]:
    """Products, totals and totals before them; with a digit or two more where the rounded ones then add up."""
    for digits in (DIGITS, DIGITS + 1, DIGITS + 2):
        added, after, before = found = _alike(digits, *columns)
        sums = ((a, b) for part, a, b in zip(parts, before, after, strict=True) if not part.folded)
        finite = all(np.isfinite(values).all() for values in columns) and len(added) <= FEW
        if finite and all(
            decimal(a.text) + decimal(p.text) == decimal(b.text) for (a, b), p in zip(sums, added, strict=True)
        ):
            return found
    return _alike(DIGITS, *columns)


def _alike(digits: int, *columns: list[Any]) -> tuple[list[Number], ...]:
    """Columns of numbers that are added to each other, with the same number of decimals."""
    texts = iter(column([value for values in columns for value in values], digits))
    return tuple([Number(value, next(texts).strip()) for value in values] for values in columns)
