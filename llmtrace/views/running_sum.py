"""A long sum: the terms that matter most where they stand, each stretch between them folded into one line.

The order of a sum is never changed, because another order would give other bits: what is shown is the true running
total before and after every stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from llmtrace.arithmetic.lines import Line
from llmtrace.arithmetic.operations import DOTS
from llmtrace.frozen import frozen
from llmtrace.views.agreement import agrees, operand_numbers, operands_for
from llmtrace.views.document import Fold, Number, RunningSum, Start, Term
from llmtrace.views.numbers import DIGITS, column, decimal, to_unit
from llmtrace.views.operand_names import Names, axis_names

Factors = Callable[[int], list[Sequence[Number]]]
"""The columns of what is multiplied, with so many digits; none, where nothing is."""

MOST = 9
"""So many digits a sum of float32 has at most."""

FEW = 8
"""Sums of which more terms than these are listed are shown with as few digits as any."""


@frozen
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
    factors = partial(_factors, line, single)
    columns = _adding_up(parts, factors, list(terms[single]), [totals[part.last] for part in parts], before)
    origin = names.origin(line)
    rows: list[Start | Term | Fold] = []
    if line.start is not None and parts:
        rows.append(Start(names.of(line.start), columns.before[0]))
    products = zip(columns.added, *columns.factors, strict=True)
    for part, start, end in zip(parts, columns.before, columns.after, strict=True):
        if part.folded:
            first, last = (names.place(origin, i) for i in (part.first, part.last))
            rows.append(Fold(first, last, part.last - part.first + 1, start, end))
        else:
            product, *factor = next(products)
            rows.append(Term(names.label(origin, part.first), tuple(factor), product, end))
    letters = tuple(names.of(operand) for operand in line.rows)
    return RunningSum(axis_names(origin), letters, line.operation in DOTS, tuple(rows))


def _factors(line: Line, places: list[int], digits: int) -> list[Sequence[Number]]:
    return [operand_numbers(o, places, digits=digits) for o in line.rows] if line.operation in DOTS else []


@frozen
class _Columns:
    """The numbers of a sum: what is multiplied and added, and the totals before and after each stretch of terms."""

    factors: list[Sequence[Number]]
    added: list[Number]
    after: list[Number]
    before: list[Number]


def _adding_up(parts: list[Stretch], factors: Factors, *columns: Sequence[Any]) -> _Columns:
    """What a sum shows: a digit or two more where the rounded numbers then add up, unless the factors would need more, too."""
    least, fewest = factors(DIGITS), _fewest(*columns)
    for digits in (fewest, fewest + 1, fewest + 2) if len(columns[0]) <= FEW else ():
        added, after, before = _alike(digits, *columns)
        if _exact(parts, added, after, before):
            needed = operands_for("multiply", factors, added) if least else []
            if needed == least:
                return _Columns(needed, added, after, before)
    added, after, before = _alike(fewest, *columns)
    return _Columns(operands_for("multiply", factors, added) if least else [], added, after, before)


def _fewest(terms: Sequence[Any], after: Sequence[Any], before: Sequence[Any]) -> int:
    """So many digits that the sum does not look like a whole number that it is not, as where 1 and 0.00002 are added."""
    if not after or not np.isfinite(after[-1]) or float(after[-1]).is_integer():
        return DIGITS
    enough = (n for n in range(DIGITS, MOST) if decimal(to_unit([*terms, *before, *after], n)[-1]) % 1)
    return next(enough, DIGITS)


def _alike(digits: int, terms: Sequence[Any], *totals: Sequence[Any]) -> Iterator[list[Number]]:
    """Numbers that are added to each other, with the same number of decimals."""
    every = [value for values in (terms, *totals) for value in values]
    texts, steady = iter(column(every, digits)), iter(to_unit(every, digits)[len(terms) :])
    yield [Number(value, next(texts).strip()) for value in terms]
    for values in totals:
        yield [Number(value, next(steady)) for value in values]


def _exact(parts: list[Stretch], added: list[Number], after: list[Number], before: list[Number]) -> bool:
    """Whether the shown totals are the sums of what is shown, to the last digit."""
    sums = ((a, b) for part, a, b in zip(parts, before, after, strict=True) if not part.folded)
    return all(agrees("add", (a.text, p.text), b.text, 0) for (a, b), p in zip(sums, added, strict=True))
