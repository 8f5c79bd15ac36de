"""What is written line by line in a language of marks, such as Markdown or LaTeX: what all of them say alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from llmtrace.i18n import _, listed
from llmtrace.render import plain
from llmtrace.render.plain.figures import label
from llmtrace.views import document as d
from llmtrace.views import figures as f
from llmtrace.views.document import Inline, Role
from llmtrace.views.numbers import rounded

Lines = Iterator[str]


class Markup(ABC):
    """A language of marks. What is drawn elsewhere is said in the sentences of `llmtrace.render.plain`."""

    BLOCKS: ClassVar[Mapping[type[d.Block], str]] = {
        d.Paragraph: "paragraph",
        d.Heading: "heading",
        d.Item: "item",
        d.Space: "space",
        d.Code: "code",
        d.Group: "group",
        d.Tree: "tree",
        d.Definitions: "definitions",
        d.Table: "table",
        d.Calculation: "calculation",
        d.Examples: "examples",
        d.RunningSum: "running_sum",
        f.Grid: "grid",
        f.Heatmap: "heatmap",
        f.Heatmaps: "heatmaps",
        f.MatrixProduct: "matrix_product",
    }
    """The blocks with a form of their own, each with the method that writes it."""

    # ---- what every language says in its own way

    @abstractmethod
    def escaped(self, text: str) -> str:
        """A text of anybody's, which can't be anything but text."""

    @abstractmethod
    def inlines(self, *inlines: Inline, role: Role = "") -> str:
        """Inlines in one line."""

    @abstractmethod
    def strong(self, text: str) -> str:
        """What is written already, in bold."""

    @abstractmethod
    def items(self, items: Iterable[str]) -> Lines:
        """A list of what is written already."""

    @abstractmethod
    def rows(self, heads: Sequence[str], cells: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Lines:
        """A table of what is written already; `right`: the columns whose cells stand at the right."""

    @abstractmethod
    def heading(self, block: d.Heading) -> Lines:
        """A heading."""

    @abstractmethod
    def code(self, block: d.Code) -> Lines:
        """A statement of Python and what it prints."""

    @abstractmethod
    def tree(self, block: d.Tree) -> Lines:
        """What is explained, and below it what it leans on."""

    def shaded(self, value: float, scale: f.Scale) -> str:
        """A number of a heatmap."""
        return self.escaped(scale.number(value))

    # ---- what all say alike

    def label(self, written: str) -> str:
        """`formula: `, what stands before that of which it is the name; the colon is that of the reader's language."""
        return written + self.escaped(d.label(""))

    def text(self, blocks: Iterable[d.Block]) -> str:
        """Some blocks, each with an empty line after it."""
        parts = ("\n".join(self.lines_of(block)) for block in blocks)
        return "\n\n".join(part for part in parts if part.strip()) + "\n"

    def lines_of(self, block: d.Block) -> Lines:
        """The lines of one block."""
        name = self.BLOCKS.get(type(block))
        if name is not None:
            yield from getattr(self, name)(block)
        else:
            yield from self.items(map(self.escaped, plain.render(d.Document((block,))).splitlines()))

    def paragraph(self, block: d.Paragraph) -> Lines:
        """A paragraph."""
        yield self.inlines(*block.inlines)

    def item(self, block: d.Item) -> Lines:
        """An item of a list."""
        yield from self.items([self.inlines(*block.inlines)])

    def space(self, block: d.Space) -> Lines:
        """Nothing: paragraphs have air between them."""
        yield ""

    def group(self, block: d.Group) -> Lines:
        """What is in it."""
        yield self.text(block.blocks).rstrip("\n")

    def definitions(self, block: d.Definitions) -> Lines:
        """A list of names."""
        yield from self.items(
            self.label(self.inlines(name, role="name")) + self.inlines(*meaning) for name, meaning in block.entries
        )

    def table(self, block: d.Table) -> Lines:
        """A table; what stands between its rows follows it."""
        count = max((len(column.cells) for column in block.columns), default=0)
        shown = [c for c in block.columns if any(self.inlines(cell) for cell in c.cells)]
        if shown:
            cells = [[self.inlines(c.cells[row], role=c.role) for c in shown] for row in range(count)]
            right = [n for n, column in enumerate(shown) if column.align != "left"]
            yield from self.rows([self.inlines(column.title) for column in shown], cells, right)
        for end in block.after:
            items = (self.inlines(token, " ", number) for token, number in end.items)
            yield from ("", self.label(self.escaped(end.title)) + self.escaped(listed(["", ""])).join(items))
        if block.note():
            yield from ("", self.escaped(block.note()))
        for _row, between in block.between:
            yield ""
            yield from self.lines_of(between)

    def calculation(self, block: d.Calculation) -> Lines:
        """A calculation in one line."""
        letters = (self.inlines(*each) for each in (block.letters, block.numbers) if each)
        line = " = ".join([self.strong(self.escaped(block.name)), *letters])
        if block.result is not None:
            line += f" {self.escaped(block.sign if block.numbers else '=')} {self.inlines(block.result)}"
        yield f"{line} {self.inlines(*block.said)}".rstrip()

    def examples(self, block: d.Examples) -> Lines:
        """A list of calculations."""
        yield from self.items(self.label(self.escaped(place)) + self.inlines(*work) for place, work in block.rows)

    def running_sum(self, block: d.RunningSum) -> Lines:
        """A table with the running total."""
        operands = [*block.operands, *([_("product")] if block.products else [])]
        heads = [self.escaped(head) for head in (block.axis, *operands, _("total so far"))]
        cells = ([self.escaped(cell) for cell in _summed(row, len(operands))] for row in block.rows)
        yield from self.rows(heads, cells, range(1, len(heads)))

    def grid(self, block: f.Grid) -> Lines:
        """A table of the places that are there."""
        values, columns = np.atleast_2d(block.values), block.columns.places

        def cell(row: f.Place | None, column: f.Place | None) -> str:
            return self.escaped("…" if row is None or column is None else rounded(values[row.index, column.index]))

        if block.corner:
            yield self.escaped(_("at {place}", place=block.corner)) + "\n"
        cells = [[self._place(row), *(cell(row, column) for column in columns)] for row in block.rows.places]
        yield from self._numbered(block.rows.title, columns, cells)

    def heatmap(self, block: f.Heatmap) -> Lines:
        """A table of its numbers."""
        columns = [place for place in block.columns.places if place is not None]

        def cell(row: int, column: int) -> str:
            return "" if block.blank[row, column] else self.shaded(block.values[row, column], block.scale)

        rows = [place for place in block.rows.places if place is not None]
        cells = [[self._place(row), *(cell(row.index, column.index) for column in columns)] for row in rows]
        yield from self._numbered(block.title, columns, cells)

    def heatmaps(self, block: f.Heatmaps) -> Lines:
        """One after the other, and what is said below them."""
        yield self.text((*block.maps, *block.notes)).rstrip("\n")

    def matrix_product(self, block: f.MatrixProduct) -> Lines:
        """Both matrices, and as much of the product as is known."""
        for matrix in (block.first, block.second, block.product):
            known = block.known if matrix is block.product else None
            cells = [
                ["" if known is not None and (r, c) not in known else self.inlines(n) for c, n in enumerate(numbers)]
                for r, numbers in enumerate(matrix.numbers)
            ]
            yield from self.rows([self.escaped(matrix.name), *[""] * (len(cells[0]) - 1 if cells else 0)], cells)
            yield ""

    def _numbered(self, title: str, columns: Sequence[f.Place | None], cells: list[list[str]]) -> Lines:
        heads = [self.escaped(title), *map(self._place, columns)]
        yield from self.rows(heads, cells, range(1, len(heads)))

    def _place(self, place: f.Place | None) -> str:
        return self.escaped("…" if place is None else label(place))


def _summed(row: d.Start | d.Term | d.Fold, width: int) -> list[str]:
    """The cells of a row of a running sum."""
    if isinstance(row, d.Term):
        return [row.place, *(number.text.strip() for number in (*row.factors, row.added, row.total))]
    if isinstance(row, d.Start):
        place, said, total = row.name, _("the sum goes on from"), row.total.text
    else:
        place, said = f"{row.first} – {row.last}", _("{count} terms", count=f"{row.count:,}")
        total = f"{row.before.text.strip()} → {row.after.text.strip()}"
    return [place, said, *[""] * (width - 1), total.strip()]
