"""Every kind of block as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from llmtrace.i18n import _, clauses, listed, n_
from llmtrace.render.plain import figures
from llmtrace.render.plain.words import calculated, rows_said, said, spoken
from llmtrace.views import document as d
from llmtrace.views import figures as f
from llmtrace.views.document import label

Lines = Iterator[str]


def lines(blocks: Iterable[d.Block]) -> Lines:
    """The lines of some blocks."""
    for block in blocks:
        yield from BLOCKS[type(block)](block)


def paragraph(block: d.Paragraph | d.Heading | d.Item) -> Lines:
    """One line."""
    yield said(*block.inlines)


def space(block: d.Space) -> Lines:
    """An empty line, at which readers stop."""
    yield ""


def code(block: d.Code) -> Lines:
    """A statement, and what it prints."""
    for n, line in enumerate(block.source.split("\n")):
        yield f"{_('Python:') if not n else '...'} {said(line)}"
    if block.printed:
        yield _("prints: {text}", text=spoken(said(block.printed.replace("\n", " / "))))


def group(block: d.Group) -> Lines:
    """What is in it."""
    yield from lines(block.blocks)


def tree(block: d.Tree, depth: int = 1) -> Lines:
    """What is explained, and after it, each with its depth, what it leans on."""
    head = said(*block.head.inlines)
    yield head if depth == 1 else _("step {depth}: {head}", depth=depth, head=head)
    yield from lines(block.body)
    if block.children:
        yield ""
        yield said(block.title)
    for child in block.children:
        yield from tree(child, depth + 1)


def definitions(block: d.Definitions) -> Lines:
    """A line for each name."""
    for name, meaning in block.entries:
        yield label(said(name)) + said(*meaning)


def table(block: d.Table) -> Lines:
    """A line for each row: what stands in its first column, then every other number with the title of its column."""
    before: dict[int, list[d.Block]] = {}
    for row, between in block.between:
        before.setdefault(row, []).append(between)
    count = max((len(column.cells) for column in block.columns), default=0)
    titles = listed(title for column in block.columns if (title := said(column.title)))
    shown, first = rows_said(count, _(" with {titles}", titles=titles) if titles else "")
    yield from first
    for row in range(shown):
        yield from lines(before.get(row, ()))
        cells = [(said(column.title), said(column.cells[row])) for column in block.columns]
        cells = [cell for cell in cells if cell[1]]
        named = [f"{title} {cell}" if title else cell for title, cell in cells]
        if cells:
            yield label(named[0]) + clauses(named[1:]) if len(named) > 1 else named[0]
    yield from lines(each for row, blocks in before.items() if row >= count for each in blocks)
    for end in block.after:
        yield label(said(end.title)) + listed(said(token, " ", number) for token, number in end.items)
    if block.note():
        yield said(block.note())


def calculation(block: d.Calculation) -> Lines:
    """A calculation in one line: in letters, in numbers, and the result."""
    parts = [said(block.name)]
    if block.letters:
        parts.append(calculated(*block.letters))
    if block.numbers:
        parts.append(calculated(*block.numbers))
    sign = " = " if block.sign == "=" or block.result is None else f" {_('is about')} "
    text = " = ".join(parts)
    if block.result is not None:
        text += (sign if block.numbers else " = ") + said(block.result)
    yield text + _("; ") + said(*block.said).lstrip(" ;:") if said(*block.said) else text


def examples(block: d.Examples) -> Lines:
    """A line for each place."""
    for place, work in block.rows:
        yield label(said(place)) + calculated(*work)


def running_sum(block: d.RunningSum) -> Lines:
    """A sentence for each term, and for those between."""
    for row in block.rows:
        match row:
            case d.Start():
                yield _("the sum goes on from {name}, {total}", name=said(row.name), total=said(row.total))
            case d.Fold():
                yield n_(
                    "{first} to {last}: {count} term; the total goes from {before} to {after}",
                    "{first} to {last}: {count} terms; the total goes from {before} to {after}",
                    row.count,
                    first=said(block.axis, " ", row.first),
                    last=said(row.last),
                    count=f"{row.count:,}",
                    before=said(row.before),
                    after=said(row.after),
                )
            case d.Term():
                factors = f" {_('times')} ".join(said(factor) for factor in row.factors)
                text = _("{place}: {factors} is {product}; total so far {total}")
                if not factors:
                    text = _("{place}: {product}; total so far {total}")
                place = said(block.axis, " ", row.place)
                yield text.format(place=place, factors=factors, product=said(row.added), total=said(row.total))


Draw = Callable[[Any], Lines]

BLOCKS: Mapping[type[d.Block], Draw] = {
    d.Paragraph: paragraph,
    d.Heading: paragraph,
    d.Item: paragraph,
    d.Space: space,
    d.Code: code,
    d.Group: group,
    d.Tree: tree,
    d.Definitions: definitions,
    d.Table: table,
    d.Calculation: calculation,
    d.Examples: examples,
    d.RunningSum: running_sum,
    f.Graph: figures.graph,
    f.Grid: figures.grid,
    f.NumberRow: figures.number_row,
    f.Heatmap: figures.heatmap,
    f.Heatmaps: lambda block: heatmaps(block),
    f.Chart: figures.chart,
    f.Progress: figures.progress,
    f.Scatter: figures.scatter,
    f.TokenRows: figures.token_rows,
    f.Picture: figures.picture,
    f.Pictures: figures.pictures,
    f.Board: figures.board,
    f.MatrixProduct: figures.matrix_product,
}


def heatmaps(block: f.Heatmaps) -> Lines:
    """One after the other, and what is said below them. Nothing is left out here."""
    for each in block.maps:
        yield from figures.heatmap(each)
    yield from lines(block.notes)
