"""A product of two matrices, step by step: each column of the second falls over the rows of the first, and is added up.

The numbers are those of the explanations of the product's cells: what is shown has been replayed, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.lines import Line as Working
from llmtrace.i18n import _
from llmtrace.render.terminal.layout import HEADING, NAME, QUIET, VALUE, Page, Part
from llmtrace.render.terminal.table import Column, Line, columns_view
from llmtrace.trace import Trace
from llmtrace.views.numbers import column, right, rounded

GAP = "    "
"""Between the first matrix and what stands to its right."""
Place = tuple[int, int]
"""The row and the column of a cell."""


@dataclass(frozen=True)
class Product:
    """A step of the op `linear` whose operands are two matrices: Rich prints it as a whole, and `frame(n)` after n products.

    The second matrix stands above the product and the first to its left, so that a cell stands where its row and its
    column meet. Cells are computed column by column.
    """

    trace: Trace
    name: str

    def __len__(self) -> int:
        return len(self.places) * self.inner

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of both matrices."""
        return tuple(name for name in self.trace[self.name].record.operands.values() if name is not None)

    @property
    def inner(self) -> int:
        """How many products a cell adds up."""
        return self.trace.shape(self.operands[0])[1]

    @cached_property
    def places(self) -> list[Place]:
        """All cells, in the order in which they are computed."""
        rows, columns = self.trace.shape(self.name)
        return [(row, column) for column in range(columns) for row in range(rows)]

    @cached_property
    def workings(self) -> dict[Place, Working]:
        """How each cell is computed."""
        return {place: self.trace.explain(self.name, *place).lines[0] for place in self.places}

    def address(self, place: Place) -> str:
        """That of a cell."""
        return f"{self.name}[{place[0]}, {place[1]}]"

    def frame(self, done: int) -> ConsoleRenderable:
        """What is seen after so many products: 0 … len."""
        return _Frame(self, done)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        yield from _grid(self, page, len(self))
        yield page.text()
        for place, working in self.workings.items():
            factors = zip(*(map(rounded, row.values) for row in working.rows), strict=True)
            terms = " + ".join(f"{_signed(a)}·{_signed(b)}" for a, b in factors)
            sums = " + ".join(_signed(rounded(term)) for term in working.terms())
            value = (rounded(working.values), VALUE)
            steps = f" = {terms} = {sums} = " if self.inner > 1 else f" = {terms} = "
            yield page.line((self.address(place), NAME), steps, value, indent=2, hang=4)


@dataclass(frozen=True)
class _Frame:
    """One moment: the matrices, the column that lies over a row, and the products so far."""

    product: Product
    done: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, product, (first, second) = Page.of(options), self.product, self.product.operands
        step = _("product {n} of {count}", n=self.done, count=len(product))
        yield page.line((f"{first} · {second}", HEADING), "   ", (step, QUIET))
        yield page.text()
        cell, terms = divmod(max(0, self.done - 1), product.inner)
        place, terms = product.places[cell], terms + (self.done > 0)
        yield from _grid(product, page, self.done, place, terms)
        yield page.text()
        said = _("Column {column} of {second} lies over row {row} of {first}. Multiply what meets, and add up:")
        yield page.line(said.format(column=place[1], second=second, row=place[0], first=first))
        yield from self._terms(page, place, terms)
        whole = terms == product.inner
        value = rounded(product.workings[place].values) if whole else "…"
        yield page.line((product.address(place), NAME), " = ", (value, VALUE if whole else QUIET), indent=2)

    def _terms(self, page: Page, place: Place, terms: int) -> Iterator[ConsoleRenderable]:
        """The products of one cell, as far as they are done, with the total after each."""
        working = self.product.workings[place]
        first, second = ([rounded(number) for number in row.values] for row in working.rows)
        both = [f"{a} × {b}" for a, b in zip(right(first), second, strict=True)]
        numbers = column([*working.terms(), *working.totals()])
        results = (numbers[:terms], numbers[len(both) :][:terms])
        titles = (_("product"), _("total so far"))
        yield from columns_view(
            page,
            [
                Column(" · ".join(self.product.operands), both),
                Column("", ["=" if n < terms else "" for n in range(len(both))]),
                *(
                    Column(title, [*texts, *[""] * (len(both) - terms)], right=True)
                    for title, texts in zip(titles, results, strict=True)
                ),
            ],
        )


def _grid(product: Product, page: Page, done: int, at: Place | None = None, terms: int = 0) -> Iterator[Line]:
    """Both matrices and what is known of the product. At cell `at`, the last of its `terms` products stands in brackets."""
    first, second = product.operands
    a, b, c = (_texts(product.trace, name) for name in (first, second, product.name))
    lying = ["×" + line[at[1]].strip() if at else "" for line in b]
    totals = {place: [rounded(total) for total in line.totals()] for place, line in product.workings.items()}
    width = max(map(len, (b[0][0], c[0][0], *(text for line in totals.values() for text in line))))
    wide = 1 + max(len(text.strip()) for line in b for text in line) if at else 0
    left = len(b) * (len(a[0][0]) + 2)
    if left + len(b) * wide + len(GAP) + len(b[0]) * (width + 2) > page.width:
        # only the column's place is shown
        lying, wide = [""] * len(b), 0
    known = set(product.places[: done // product.inner])
    margin = " " * (left + len(b) * wide) + GAP
    yield Line(page.text(margin + " ", (second, HEADING)))
    for k, line in enumerate(b):
        marks = [_mark(at is not None and j == at[1], k == terms - 1) for j in range(len(line))]
        yield Line(page.text(margin, *_cells([text.rjust(width) for text in line], marks)))
    heading = f" {first}".ljust(len(margin) + 1)
    yield Line(page.text((heading, HEADING), (f"{first} · {second}", HEADING)))
    for i, line in enumerate(a):
        here = at is not None and i == at[0]
        over = [text + (lying[k] if here else "").ljust(wide) for k, text in enumerate(line)]
        marks = [_mark(here, k == terms - 1) for k in range(len(line))]
        cells = [text if (i, j) in known else "·" for j, text in enumerate(c[i])]
        if at is not None and here and at not in known and terms:
            cells[at[1]] = totals[at][terms - 1]
        found = [_mark((i, j) == at, True) for j in range(len(cells))]
        yield Line(page.text(*_cells(over, marks), GAP, *_cells([text.rjust(width) for text in cells], found)))


def _texts(trace: Trace, name: str) -> list[list[str]]:
    """The numbers of a matrix as texts, all of one width."""
    rows, columns = trace.shape(name)
    texts = right([rounded(number) for number in trace.tensor(name).reshape(-1)])
    return [texts[row * columns : (row + 1) * columns] for row in range(rows)]


def _mark(here: bool, now: bool) -> str:
    """The style of a cell: of the row or column at which one is, or of what is multiplied now."""
    return "" if not here else VALUE if now else NAME


def _cells(texts: Sequence[str], styles: Sequence[str]) -> list[Part]:
    """Cells beside each other; what is multiplied now stands in brackets, as not every output has styles."""
    return [(f"[{text}]" if style == VALUE else f" {text} ", style) for text, style in zip(texts, styles, strict=True)]


def _signed(number: str) -> str:
    """A number among products and sums: a negative one in parentheses."""
    return f"({number})" if number.startswith("−") else number
