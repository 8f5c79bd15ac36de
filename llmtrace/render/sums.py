"""A long sum on a page: the terms that matter most where they stand, each stretch between them folded into one line.

The order of a sum is never changed, because another order would give other bits: what is shown is the true running
total before and after every stretch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import ConsoleRenderable

from llmtrace.arithmetic.lines import Line
from llmtrace.arithmetic.operations import DOTS
from llmtrace.i18n import _
from llmtrace.render.names import Names, axis_names
from llmtrace.render.numbers import DIGITS, column
from llmtrace.render.terminal.layout import NAME, QUIET, TOTAL, Page

FEW = 8
"""Sums of more terms than these on the page are shown with as few digits as any."""


@dataclass(frozen=True)
class Stretch:
    """Terms `first` to `last` of a sum; shown folded unless it is only one."""

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


def sum_view(line: Line, names: Names, page: Page, always: tuple[int, ...] = ()) -> list[ConsoleRenderable]:
    """The terms of a sum or of a sum of products, with their running total; those at the places `always` are not folded."""
    terms, totals = line.terms(), line.totals()
    shown = list(range(len(terms))) if page.every else sorted({*line.largest(page.count), *always})
    parts = list(stretches(len(terms), shown))
    single = [part.first for part in parts if not part.folded]
    begin = terms.dtype.type(0) if line.start is None else line.start.values[()]
    before = [totals[part.first - 1] if part.first else begin for part in parts]
    added, after, earlier = _adding_up(parts, terms[single], [totals[part.last] for part in parts], before)
    factors = [column(operand.values[single]) for operand in line.rows] if line.operation in DOTS else []
    numbers = [*factors, added]  # what is added has as many decimals as the totals, so that anybody can add it up
    table = _Table(line, names, page)
    if line.start is not None and parts:
        table.begin(names.of(line.start), earlier[0].strip())
    n = 0
    for part, start, end in zip(parts, earlier, after, strict=True):
        if part.folded:
            table.fold(part, start.strip(), end.strip())
        else:
            table.term(part.first, [*(text[n] for text in numbers), end])
            n += 1
    return table.views()


def _adding_up(parts: list[Stretch], *columns: Any) -> tuple[list[str], list[str], list[str]]:
    """Products, totals and totals before them; with a digit or two more where the rounded ones then add up."""
    for digits in (DIGITS, DIGITS + 1, DIGITS + 2):
        added, after, before = _alike(digits, *columns)
        sums = ((a, b) for part, a, b in zip(parts, before, after, strict=True) if not part.folded)
        products = (text.strip() for text in added)
        finite = all(np.isfinite(numbers).all() for numbers in columns) and len(added) <= FEW
        if finite and all(_decimal(a) + _decimal(p) == _decimal(b) for (a, b), p in zip(sums, products, strict=True)):
            return added, after, before
    added, after, before = _alike(DIGITS, *columns)
    return added, after, before


def _decimal(text: str) -> Decimal:
    return Decimal(text.strip().replace("−", "-"))


def _alike(digits: int, *columns: Any) -> Iterator[list[str]]:
    """Columns of numbers that are added to each other, with the same number of decimals."""
    texts = iter(column([number for numbers in columns for number in numbers], digits))
    for numbers in columns:
        yield [next(texts) for _number in numbers]


class _Table:
    """The rows of one sum, put under each other when all are known; one sentence each where the page is too narrow."""

    def __init__(self, line: Line, names: Names, page: Page) -> None:
        self._page = page
        self._names = names
        self._origin = names.origin(line)
        operands = [names.of(operand) for operand in line.rows]
        self._signs = ["×", "=", ""] if line.operation in DOTS else [""]
        products = [_("product")] if line.operation in DOTS else []
        heads = [axis_names(self._origin), *operands, *products, _("total so far")]
        self._rows: list[tuple[str, list[str]]] = [("head", [page.plain(text) for text in heads])]

    def term(self, i: int, numbers: list[str]) -> None:
        """Adds one term: its numbers, the running total last."""
        cells = [self._names.label(self._origin, i), *numbers]
        self._rows.append(("term", [self._page.plain(text) for text in cells]))

    def begin(self, name: str, total: str) -> None:
        """Adds the number that a sum goes on from."""
        self._rows.append(("fold", [self._page.plain(text) for text in (name, _("the sum goes on from"), total)]))

    def fold(self, part: Stretch, before: str, after: str) -> None:
        """Adds a stretch of terms in one line."""
        place = f"{self._names.place(self._origin, part.first)} – {self._names.place(self._origin, part.last)}"
        count = _("{count} terms", count=f"{part.last - part.first + 1:,}")
        self._rows.append(("fold", [self._page.plain(text) for text in (place, count, f"{before} → {after}")]))

    def views(self) -> list[ConsoleRenderable]:
        """The finished rows."""
        label = max(cell_len(cells[0]) for _kind, cells in self._rows)
        whole = [cells[1:] for kind, cells in self._rows if kind != "fold"]
        sizes = [max(map(cell_len, cells)) for cells in zip(*whole, strict=True)]
        between = sum(3 if sign else 2 for sign in self._signs)
        folds = [cell_len(cells[1]) + 1 + cell_len(cells[2]) for kind, cells in self._rows if kind == "fold"]
        room = max([sum(sizes) + between, *folds])
        sizes[-1] += room - sum(sizes) - between
        if 2 + label + 2 + room > self._page.width:
            return [self._sentence(kind, cells) for kind, cells in self._rows]
        return [self._aligned(kind, cells, label, sizes) for kind, cells in self._rows]

    def _aligned(self, kind: str, cells: list[str], label: int, sizes: list[int]) -> ConsoleRenderable:
        between = [f" {sign} " if sign else "  " for sign in self._signs]
        first = _right(cells[0], label)
        if kind == "fold":
            room = sum(sizes) + sum(map(len, between)) - cell_len(cells[1])
            return self._page.line((f"{first}  {cells[1]}{_right(cells[2], room)}", QUIET), indent=2)
        padded = [_right(text, size) for text, size in zip(cells[1:], sizes, strict=True)]
        if kind == "head":
            return self._page.line(
                (f"{first}  {_joined(padded, [' ' * len(gap) for gap in between])}", QUIET), indent=2
            )
        calculation = _joined([*padded[:-1], ""], between)
        return self._page.line((first, NAME), f"  {calculation}", (padded[-1], TOTAL), indent=2)

    def _sentence(self, kind: str, cells: list[str]) -> ConsoleRenderable:
        cells = [text.strip() for text in cells]
        if kind == "head":
            return self._page.line((f"{cells[0]}: {', '.join(cells[-2:])}", QUIET), indent=2)
        if kind == "fold":
            return self._page.line((f"{cells[0]}: {cells[1]}, {cells[2]}", QUIET), indent=2, hang=4)
        between = [f" {sign} " if sign else "" for sign in self._signs]
        calculation = _joined(cells[1:-1], between[:-1])
        total = _("total so far {total}", total=cells[-1])
        return self._page.line((cells[0], NAME), f": {calculation}, ", (total, TOTAL), indent=2, hang=4)


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


def _joined(texts: list[str], between: list[str]) -> str:
    return "".join(text + gap for text, gap in zip(texts, [*between, ""], strict=True))
