"""A product of two matrices, step by step: each column of the second falls over the rows of the first, and is added up.

The numbers are those of the explanations of the product's cells: what is shown has been replayed, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from llmtrace.arithmetic.lines import Line as Working
from llmtrace.display import Displayed
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.trace import Trace
from llmtrace.views.agreement import operands_for
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Number,
    Space,
    Table,
    Text,
    heading,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.figures import Matrix, MatrixProduct
from llmtrace.views.numbers import number, numbers

Place = tuple[int, int]
"""The row and the column of a cell."""


@frozen
class Product(Displayed):
    """A step of the op `linear` whose operands are two matrices, as a whole, and by `frame(n)` after n products.

    Cells are computed column by column.
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

    @cached_property
    def _totals(self) -> dict[Place, tuple[Number, ...]]:
        return {place: tuple(map(number, line.totals())) for place, line in self.workings.items()}

    def address(self, place: Place) -> str:
        """That of a cell."""
        return f"{self.name}[{place[0]}, {place[1]}]"

    def matrices(self, done: int, at: Place | None = None, terms: int = 0) -> MatrixProduct:
        """Both matrices and what is known of their product after so many products."""
        first, second, product = (self._matrix(each) for each in (*self.operands, self.name))
        known = frozenset(self.places[: done // self.inner])
        return MatrixProduct(first, second, product, self._totals, known, at, terms)

    def _matrix(self, tensor: str) -> Matrix:
        values = self.trace.tensor(tensor)
        return Matrix(
            tensor,
            tuple(
                tuple(number(value, address=f"{tensor}[{i}, {j}]") for j, value in enumerate(row))
                for i, row in enumerate(values)
            ),
        )

    def document(self) -> Document:
        """The whole product, and how each of its cells is made."""
        return Document((self.matrices(len(self)), Space(), *map(self._cell, self.places)))

    def _cell(self, place: Place) -> Block:
        working = self.workings[place]
        result = number(working.values, role="value", address=self.address(place))
        added = operands_for("sum", lambda digits: [(number(term, digits),) for term in working.terms()], [result])
        products = [each for (each,) in added]
        factors = _factors(working, products)
        terms = _joined([(*_signed(a), "·", *_signed(b)) for a, b in factors])
        sums = _joined(list(map(_signed, products)))
        steps = (*terms, " = ", *sums) if self.inner > 1 else terms
        return paragraph(Text(self.address(place), "name"), " = ", *steps, " = ", result, indent=2, hang=4)

    def frame(self, done: int) -> Document:
        """What is seen after so many products, 0 … len: the matrices, the column that lies over a row, the products so far."""
        return Document(tuple(self._frame(done)))

    def _frame(self, done: int) -> Iterator[Block]:
        first, second = self.operands
        step = _("product {n} of {count}", n=done, count=len(self))
        yield Heading((heading(f"{first} · {second}"), "   ", quiet(step)))
        yield Space()
        cell, terms = divmod(max(0, done - 1), self.inner)
        place, terms = self.places[cell], terms + (done > 0)
        yield self.matrices(done, place, terms)
        yield Space()
        text = _("Column {column} of {second} lies over row {row} of {first}. Multiply what meets, and add up:")
        yield paragraph(said(text, column=place[1], second=second, row=place[0], first=first))
        yield self._terms(place, terms)
        whole = terms == self.inner
        result = number(self.workings[place].values, role="value") if whole else quiet("…")
        yield paragraph(name(self.address(place)), " = ", result, indent=2)

    def _terms(self, place: Place, terms: int) -> Table:
        """The products of one cell, as far as they are done, with the total after each."""
        working = self.workings[place]
        made = numbers([*working.terms(), *working.totals()])
        both = tuple(said("{a} × {b}", a=a, b=b) for a, b in _factors(working, made[: self.inner]))
        products, totals = made[:terms], made[len(both) :][:terms]
        empty: tuple[Inline, ...] = ("",) * (len(both) - terms)
        return Table(
            (
                Column(" · ".join(self.operands), both, "number"),
                Column("", ("=",) * terms + empty),
                Column(_("product"), (*products, *empty), "right"),
                Column(_("total so far"), (*totals, *empty), "right"),
            )
        )


def _factors(working: Working, products: Sequence[Number]) -> list[tuple[Number, Number]]:
    """What is multiplied, with the digits that the shown products need."""

    def columns(digits: int) -> list[Sequence[Number]]:
        return [[number(value, digits) for value in row.values] for row in working.rows]

    first, second = operands_for("multiply", columns, products)
    return list(zip(first, second, strict=True))


def _joined(terms: list[tuple[Inline, ...]]) -> tuple[Inline, ...]:
    """Terms with a plus between them."""
    first, *others = terms
    return (*first, *(part for term in others for part in (" + ", *term)))


def _signed(number: Number) -> tuple[Inline, ...]:
    """A number among products and sums: a negative one in parentheses."""
    return ("(", number, ")") if number.text.startswith("−") else (number,)
