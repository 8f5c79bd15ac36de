"""A product of two matrices in a terminal.

The second matrix stands above the product and the first to its left, so that a cell stands where its row and its column meet.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from llmtrace.render.terminal.inlines import rich_text
from llmtrace.render.terminal.layout import Line, Page
from llmtrace.render.terminal.words import Drawn, hanging
from llmtrace.views.document import Inline, Role, Text, heading
from llmtrace.views.figures import Matrix, MatrixProduct

GAP = "    "
"""Between the first matrix and what stands to its right."""


def matrix_product(block: MatrixProduct, page: Page) -> Drawn:
    """Both matrices and what is known of the product. At the cell `at`, the last of its products stands in brackets."""
    a, b, c = (_texts(matrix) for matrix in (block.first, block.second, block.product))
    at, terms = block.at, block.terms
    lying = ["×" + line[at[1]].strip() if at else "" for line in b]
    totals = [total.text for line in block.totals.values() for total in line]
    width = max(map(len, (b[0][0], c[0][0], *totals)))
    wide = 1 + max(len(text.strip()) for line in b for text in line) if at else 0
    left = len(b) * (len(a[0][0]) + 2)
    if left + len(b) * wide + len(GAP) + len(b[0]) * (width + 2) > page.width:
        lying, wide = [""] * len(b), 0  # only the column's place is shown
    title = f"{block.first.name} · {block.second.name}"
    beside = max(len(b[0]) * (width + 2), cell_len(f" {title}"))
    if max(left + len(b) * wide, cell_len(f" {block.first.name}")) + len(GAP) + beside > page.width:
        yield from _below(block, page)
        return
    known = _product(block)
    margin = " " * (left + len(b) * wide) + GAP
    yield Line(rich_text(page, margin + " ", heading(block.second.name)))
    for k, line in enumerate(b):
        marks = [_mark(at is not None and j == at[1], k == terms - 1) for j in range(len(line))]
        yield Line(rich_text(page, margin, *_cells([text.rjust(width) for text in line], marks)))
    first = f" {block.first.name}".ljust(len(margin) + 1)
    yield Line(rich_text(page, heading(first), heading(title)))
    for i, line in enumerate(a):
        here = at is not None and i == at[0]
        over = [text + (lying[k] if here else "").ljust(wide) for k, text in enumerate(line)]
        marks = [_mark(here, k == terms - 1) for k in range(len(line))]
        cells = known[i]
        found = [_mark((i, j) == at, True) for j in range(len(cells))]
        yield Line(rich_text(page, *_cells(over, marks), GAP, *_cells([text.rjust(width) for text in cells], found)))


def _below(block: MatrixProduct, page: Page) -> Drawn:
    """Where they have no room beside each other: the matrices under each other, a line for each row."""
    title = f"{block.first.name} · {block.second.name}"
    known = _product(block)
    for name, rows in (
        (block.first.name, _texts(block.first)),
        (block.second.name, _texts(block.second)),
        (title, known),
    ):
        yield hanging(page, heading(name))
        for row in rows:
            yield hanging(page, "  ".join(row), indent=2, hang=2)


def _product(block: MatrixProduct) -> list[list[str]]:
    """What is known of the product, and the running total at the cell that is worked on."""
    cells = [
        [text if (i, j) in block.known else "·" for j, text in enumerate(row)]
        for i, row in enumerate(_texts(block.product))
    ]
    if block.at is not None and block.at not in block.known and block.terms:
        cells[block.at[0]][block.at[1]] = block.totals[block.at][block.terms - 1].text
    return cells


def _texts(matrix: Matrix) -> list[list[str]]:
    """The numbers of a matrix as texts, all of one width."""
    width = max(len(number.text) for row in matrix.numbers for number in row)
    return [[number.text.rjust(width) for number in row] for row in matrix.numbers]


def _mark(here: bool, now: bool) -> Role:
    """The role of a cell: of the row or column at which one is, or of what is multiplied now."""
    return "" if not here else "value" if now else "name"


def _cells(texts: Sequence[str], roles: Sequence[Role]) -> list[Inline]:
    """Cells beside each other; what is multiplied now stands in brackets, as not every output has styles."""
    return [
        Text(f"[{text}]" if role == "value" else f" {text} ", role) for text, role in zip(texts, roles, strict=True)
    ]
