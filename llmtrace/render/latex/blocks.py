"""Every kind of block in LaTeX. What is drawn elsewhere is said in the sentences of `llmtrace.render.plain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from llmtrace.i18n import _, listed
from llmtrace.render import plain
from llmtrace.render.latex.words import escaped, latex
from llmtrace.render.plain.figures import label
from llmtrace.render.shades import shade
from llmtrace.views import document as d
from llmtrace.views import figures as f
from llmtrace.views.numbers import rounded

Lines = Iterator[str]
SECTIONS = {1: "section", 2: "subsection", 3: "subsubsection"}


def text(blocks: Iterable[d.Block]) -> str:
    """Some blocks, each with an empty line after it."""
    parts = ("\n".join(lines_of(block)) for block in blocks)
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def lines_of(block: d.Block) -> list[str]:
    """The lines of one block."""
    draw = BLOCKS.get(type(block))
    return list(draw(block) if draw else _sentences(block))


def _sentences(block: d.Block) -> Lines:
    yield from _list(map(escaped, plain.render(d.Document((block,))).splitlines()))


def _list(items: Iterable[str]) -> Lines:
    found = [f"\\item[] {item}" for item in items]
    if found:
        yield from (r"\begin{itemize}", *found, r"\end{itemize}")


def paragraph(block: d.Paragraph) -> Lines:
    """A paragraph."""
    yield latex(*block.inlines)


def heading(block: d.Heading) -> Lines:
    """A heading; the numbers in it are as bold as it is."""
    yield f"\\{SECTIONS.get(block.level, 'paragraph')}{{{latex(*block.inlines)}}}"


def item(block: d.Item) -> Lines:
    """An item of a list."""
    yield from _list([latex(*block.inlines)])


def space(block: d.Space) -> Lines:
    """Nothing: paragraphs have air between them."""
    yield ""


def code(block: d.Code) -> Lines:
    """A statement of Python and what it prints, with their spaces."""
    for line in (*block.source.split("\n"), *(block.printed.split("\n") if block.printed else ())):
        yield f"\\texttt{{{escaped(line).replace(' ', '~')}}}\\par"


def group(block: d.Group) -> Lines:
    """What is in it."""
    yield text(block.blocks).rstrip("\n")


def tree(block: d.Tree) -> Lines:
    """What is explained, and below it what it leans on; how deep that is is said, since lists in lists end at four."""
    yield from _tree(block, 0)


def _tree(block: d.Tree, depth: int) -> Lines:
    deeper = f"\\ensuremath{{{'>' * depth}}} " if depth else ""
    yield f"{deeper}{latex(*block.head.inlines)}\n"
    yield text(block.body)
    if block.children:
        yield f"{escaped(block.title)}\n"
    for child in block.children:
        yield from _tree(child, depth + 1)


def definitions(block: d.Definitions) -> Lines:
    """A line for each name."""
    yield from _list(f"{d.label(latex(name, role='name'))}{latex(*meaning)}" for name, meaning in block.entries)


def rows(heads: Sequence[str], cells: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Lines:
    """A table that may go on on the next page."""
    sides = set(right)
    yield f"\\begin{{longtable}}{{{''.join('r' if n in sides else 'l' for n in range(len(heads)))}}}"
    yield f"{' & '.join(heads)} \\\\ \\hline"
    for row in cells:
        yield f"{{}}{' & '.join(row)} \\\\"  # {}: a cell that begins with [ or * is not what \\ takes
    yield r"\end{longtable}"


def table(block: d.Table) -> Lines:
    """A table; what stands between its rows follows it."""
    count = max((len(column.cells) for column in block.columns), default=0)
    shown = [c for c in block.columns if any(latex(cell) for cell in c.cells)]
    if shown:
        cells = [[latex(c.cells[row], role=c.role) for c in shown] for row in range(count)]
        right = [n for n, column in enumerate(shown) if column.align != "left"]
        yield from rows([latex(column.title) for column in shown], cells, right)
    for end in block.after:
        yield ""
        yield d.label(escaped(end.title)) + listed(latex(token, " ", number) for token, number in end.items)
    if block.note():
        yield ""
        yield escaped(block.note())
    for _row, between in block.between:
        yield ""
        yield from lines_of(between)


def calculation(block: d.Calculation) -> Lines:
    """A calculation in one line."""
    parts = [f"\\textbf{{{escaped(block.name)}}}", *(latex(*each) for each in (block.letters, block.numbers) if each)]
    line = " = ".join(parts)
    if block.result is not None:
        line += f" {escaped(block.sign if block.numbers else '=')} {latex(block.result)}"
    yield f"{line} {latex(*block.said)}".rstrip()


def examples(block: d.Examples) -> Lines:
    """A list."""
    yield from _list(d.label(escaped(place)) + latex(*work) for place, work in block.rows)


def running_sum(block: d.RunningSum) -> Lines:
    """A table with the running total."""
    operands = [*map(escaped, block.operands), *([escaped(_("product"))] if block.products else [])]
    heads = [escaped(block.axis), *operands, escaped(_("total so far"))]
    yield from rows(heads, (_row(row, len(operands)) for row in block.rows), range(1, len(heads)))


def _row(row: d.Start | d.Term | d.Fold, width: int) -> list[str]:
    if isinstance(row, d.Term):
        return [escaped(row.place), *(escaped(n.text.strip()) for n in (*row.factors, row.added, row.total))]
    if isinstance(row, d.Start):
        place, said, total = row.name, _("the sum goes on from"), row.total.text
    else:
        place, said = f"{row.first} – {row.last}", _("{count} terms", count=f"{row.count:,}")
        total = f"{row.before.text.strip()} → {row.after.text.strip()}"
    return [escaped(place), escaped(said), *[""] * (width - 1), escaped(total.strip())]


def grid(block: f.Grid) -> Lines:
    """A table of the places that are there."""
    values = np.atleast_2d(block.values)
    columns = block.columns.places

    def cell(row: f.Place | None, column: f.Place | None) -> str:
        return escaped("…" if row is None or column is None else rounded(values[row.index, column.index]))

    if block.corner:
        yield escaped(_("at {place}", place=block.corner)) + "\n"
    cells = [[_label(row), *(cell(row, column) for column in columns)] for row in block.rows.places]
    yield from rows([escaped(block.rows.title), *map(_label, columns)], cells, range(1, len(columns) + 1))


def heatmap(block: f.Heatmap) -> Lines:
    """A table of numbers, each on its shade."""
    columns = [place for place in block.columns.places if place is not None]

    def cell(row: f.Place, column: f.Place) -> str:
        if block.blank[row.index, column.index]:
            return ""
        value = block.values[row.index, column.index]
        background, dark = shade(value, block.scale)
        number = escaped(block.scale.number(value))
        ink = f"\\textcolor[rgb]{{1,1,1}}{{{number}}}" if dark else number
        return f"\\shade{{{','.join(f'{part / 255:.3f}' for part in background)}}}{{{ink}}}"

    cells = [[_label(row), *(cell(row, c) for c in columns)] for row in block.rows.places if row is not None]
    yield r"{\scriptsize\setlength{\tabcolsep}{1pt}"
    yield from rows([escaped(block.title), *map(_label, columns)], cells, range(1, len(columns) + 1))
    yield "}"


def heatmaps(block: f.Heatmaps) -> Lines:
    """One after the other, and what is said below them."""
    yield text((*block.maps, *block.notes)).rstrip("\n")


def _label(place: f.Place | None) -> str:
    return escaped("…" if place is None else label(place))


def matrix_product(block: f.MatrixProduct) -> Lines:
    """Both matrices, and as much of the product as is known."""
    for matrix in (block.first, block.second, block.product):
        known = block.known if matrix is block.product else None
        cells = [
            ["" if known is not None and (r, c) not in known else latex(n) for c, n in enumerate(numbers)]
            for r, numbers in enumerate(matrix.numbers)
        ]
        yield from rows([escaped(matrix.name), *[""] * (len(cells[0]) - 1 if cells else 0)], cells)


BLOCKS: Mapping[type[d.Block], Callable[[Any], Lines]] = {
    d.Paragraph: paragraph,
    d.Heading: heading,
    d.Item: item,
    d.Space: space,
    d.Code: code,
    d.Group: group,
    d.Tree: tree,
    d.Definitions: definitions,
    d.Table: table,
    d.Calculation: calculation,
    d.Examples: examples,
    d.RunningSum: running_sum,
    f.Grid: grid,
    f.Heatmap: heatmap,
    f.Heatmaps: heatmaps,
    f.MatrixProduct: matrix_product,
}
"""Those with a form of their own; the others are said in sentences."""
