"""Every kind of block in Markdown. What is drawn elsewhere is said in the sentences of `llmtrace.render.plain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from llmtrace.i18n import _, listed
from llmtrace.render import plain
from llmtrace.render.markdown.words import escaped, markdown
from llmtrace.render.plain.figures import label
from llmtrace.text import inert
from llmtrace.views import document as d
from llmtrace.views import figures as f
from llmtrace.views.numbers import rounded

Lines = Iterator[str]


def text(blocks: Iterable[d.Block]) -> str:
    """Some blocks, each with an empty line after it."""
    parts = ("\n".join(lines_of(block)) for block in blocks)
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def lines_of(block: d.Block) -> list[str]:
    """The lines of one block."""
    draw = BLOCKS.get(type(block))
    return list(draw(block) if draw else _sentences(block))


def _sentences(block: d.Block) -> Lines:
    for line in plain.render(d.Document((block,))).splitlines():
        yield f"- {escaped(line)}"


def paragraph(block: d.Paragraph) -> Lines:
    """A paragraph."""
    yield markdown(*block.inlines)


def heading(block: d.Heading) -> Lines:
    """A heading."""
    yield f"{'#' * min(6, block.level)} {markdown(*block.inlines)}"


def item(block: d.Item) -> Lines:
    """An item of a list."""
    yield f"- {markdown(*block.inlines)}"


def space(block: d.Space) -> Lines:
    """Nothing: paragraphs have air between them."""
    yield ""


def code(block: d.Code) -> Lines:
    """A statement of Python and what it prints, in fences that are longer than any inside."""
    fence = "```"
    while fence in block.source + block.printed:
        fence += "`"
    source, printed = (
        [inert(line) for line in each.split("\n")] if each else [] for each in (block.source, block.printed)
    )
    yield from (f"{fence}python", *source, fence)
    if printed:
        yield from (f"{fence}text", *printed, fence)


def group(block: d.Group) -> Lines:
    """What is in it."""
    yield text(block.blocks).rstrip("\n")


def tree(block: d.Tree) -> Lines:
    """What is explained, and what it leans on as a list below it."""
    yield markdown(*block.head.inlines)
    yield ""
    yield text(block.body).rstrip("\n")
    if block.children:
        yield f"\n{escaped(block.title)}\n"
    for child in block.children:
        inner = "\n".join(tree(child)).rstrip("\n").split("\n")
        yield "\n".join(("- " if not n else "  ") + line if line else "" for n, line in enumerate(inner))
        yield ""


def definitions(block: d.Definitions) -> Lines:
    """A list."""
    for name, meaning in block.entries:
        yield f"- {d.label(markdown(name, role='name'))}{markdown(*meaning)}"


def rows(heads: Sequence[str], cells: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Lines:
    """A table in pipes."""
    sides = set(right)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---:' if n in sides else '---' for n in range(len(heads)))}|"
    for row in cells:
        yield f"| {' | '.join(row)} |"


def table(block: d.Table) -> Lines:
    """A table; what stands between its rows follows it."""
    count = max((len(column.cells) for column in block.columns), default=0)
    shown = [c for c in block.columns if any(markdown(cell) for cell in c.cells)]
    cells = [[markdown(c.cells[row], role=c.role) for c in shown] for row in range(count)]
    right = [n for n, column in enumerate(shown) if column.align != "left"]
    yield from rows([markdown(column.title) for column in shown], cells, right)
    for end in block.after:
        yield ""
        yield d.label(escaped(end.title)) + listed(markdown(token, " ", number) for token, number in end.items)
    if block.note():
        yield ""
        yield escaped(block.note())
    for _row, between in block.between:
        yield ""
        yield from lines_of(between)


def calculation(block: d.Calculation) -> Lines:
    """A calculation in one line."""
    parts = [f"**{escaped(block.name)}**", *(markdown(*each) for each in (block.letters, block.numbers) if each)]
    line = " = ".join(parts)
    if block.result is not None:
        line += f" {block.sign if block.numbers else '='} {markdown(block.result)}"
    yield f"{line} {markdown(*block.said)}".rstrip()


def examples(block: d.Examples) -> Lines:
    """A list."""
    for place, work in block.rows:
        yield f"- {d.label(escaped(place))}{markdown(*work)}"


def running_sum(block: d.RunningSum) -> Lines:
    """A table with the running total."""
    operands = [*map(escaped, block.operands), *([_("product")] if block.products else [])]
    heads = [escaped(block.axis), *operands, _("total so far")]
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
    cells = [
        [
            _label(row),
            *("…" if row is None or c is None else rounded(values[row.index, c.index]) for c in block.columns.places),
        ]
        for row in block.rows.places
    ]
    if block.corner:
        yield escaped(_("at {place}", place=block.corner)) + "\n"
    yield from rows(
        [escaped(block.rows.title), *map(_label, block.columns.places)], cells, range(1, len(cells[0]) if cells else 1)
    )


def heatmap(block: f.Heatmap) -> Lines:
    """A table of numbers."""
    columns = [place for place in block.columns.places if place is not None]
    cells = [
        [
            _label(row),
            *(
                "" if block.blank[row.index, c.index] else block.scale.number(block.values[row.index, c.index])
                for c in columns
            ),
        ]
        for row in block.rows.places
        if row is not None
    ]
    yield from rows([escaped(block.title), *map(_label, columns)], cells, range(1, len(columns) + 1))


def heatmaps(block: f.Heatmaps) -> Lines:
    """One after the other, and what is said below them."""
    yield text((*block.maps, *block.notes)).rstrip("\n")


def _label(place: f.Place | None) -> str:
    return "…" if place is None else escaped(label(place))


def matrix_product(block: f.MatrixProduct) -> Lines:
    """Both matrices, and as much of the product as is known."""
    for matrix in (block.first, block.second, block.product):
        known = block.known if matrix is block.product else None
        cells = [
            ["" if known is not None and (r, c) not in known else markdown(n) for c, n in enumerate(numbers)]
            for r, numbers in enumerate(matrix.numbers)
        ]
        yield from rows([escaped(matrix.name), *[""] * (len(cells[0]) - 1 if cells else 0)], cells)
        yield ""


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
