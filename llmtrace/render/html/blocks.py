"""Every kind of block in HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

from llmtrace.i18n import _, listed
from llmtrace.render.html import figures, graph
from llmtrace.render.html.words import Page, escaped, html, spanned
from llmtrace.views import document as d
from llmtrace.views import figures as f

Draw = Callable[[Any, Page], str]


SECTIONS = 4
"""Documents with fewer headings are not folded."""


def body(document: d.Document, prefix: str, folded: bool = False) -> str:
    """The blocks of a document; `folded`: those below each heading of a long one can be opened and closed."""
    trees = frozenset(each.address for each in d.walk(document.blocks) if isinstance(each, d.Tree) and each.body)
    page = Page(prefix, trees)
    heads = [
        n
        for n, each in enumerate(document.blocks)
        if isinstance(each, d.Heading) and each.level > 1 and not each.indent
    ]
    if not folded or len(heads) < SECTIONS:
        return blocks(document.blocks, page)
    sections = [document.blocks[first:last] for first, last in pairwise([*heads, len(document.blocks)])]
    return blocks(document.blocks[: heads[0]], page) + "".join(section(*each, page=page) for each in sections)


def section(head: d.Block, *inner: d.Block, page: Page) -> str:
    """A heading with what stands below it, closed."""
    assert isinstance(head, d.Heading)
    return f"<details><summary>{html(page, *head.inlines)}</summary>\n{blocks(inner, page)}</details>\n"


def blocks(some: Iterable[d.Block], page: Page) -> str:
    """Some blocks below one another."""
    return "".join(BLOCKS[type(block)](block, page) for block in some)


def paragraph(block: d.Paragraph, page: Page) -> str:
    """A paragraph."""
    return f"<p{_set_in(block.indent)}>{html(page, *block.inlines)}</p>\n"


def _set_in(indent: int) -> str:
    return ' class="set-in"' if indent else ""


def heading(block: d.Heading, page: Page) -> str:
    """A heading; that of a page is the second level, since what it stands in has one of its own."""
    level = min(block.level + 1, 6)
    return f"<h{level}>{html(page, *block.inlines)}</h{level}>\n"


def item(block: d.Item, page: Page) -> str:
    """An item of a list of its own."""
    return f"<ul><li>{html(page, *block.inlines)}</li></ul>\n"


def space(block: d.Space, page: Page) -> str:
    """Nothing: elements have their own air."""
    return ""


def code(block: d.Code, page: Page) -> str:
    """A statement, and what it prints."""
    printed = f"<pre><samp>{_verbatim(block.printed)}</samp></pre>\n" if block.printed else ""
    return f"<pre><code>{_verbatim(block.source)}</code></pre>\n{printed}"


def _verbatim(text: str) -> str:
    return "\n".join(escaped(line) for line in text.split("\n"))


def group(block: d.Group, page: Page) -> str:
    """What is set in together."""
    return f"<div{_set_in(block.indent)}>\n{blocks(block.blocks, page)}</div>\n"


def tree(block: d.Tree, page: Page) -> str:
    """What is explained; what it leans on can be opened and closed."""
    inner = blocks(block.body, page)
    if block.children:
        children = "".join(f"<li>{tree(child, page)}</li>\n" for child in block.children)
        inner += f"<p>{spanned(escaped(block.title), 'name')}</p>\n<ul>\n{children}</ul>\n"
    head = html(Page(page.prefix), *block.head.inlines)  # what is here already needs no link
    if not inner:
        return f"<p>{head}</p>\n"
    opened = " open" if block.open else ""
    return f'<details id="{page.place(block.address)}"{opened}><summary>{head}</summary>\n{inner}</details>\n'


def definitions(block: d.Definitions, page: Page) -> str:
    """A list of definitions."""
    entries = (f"<dt>{html(page, name)}</dt><dd>{html(page, *meaning)}</dd>\n" for name, meaning in block.entries)
    return f"<dl>\n{''.join(entries)}</dl>\n"


def table(block: d.Table, page: Page) -> str:
    """A table; what stands between its rows takes all columns."""
    count, width = max((len(column.cells) for column in block.columns), default=0), len(block.columns)
    heads = "".join(f'<th scope="col"{_side(column)}>{html(page, column.title)}</th>' for column in block.columns)
    between: dict[int, list[d.Block]] = {}
    for row, each in block.between:
        between.setdefault(min(row, count), []).append(each)
    rows = []
    for row in range(count + 1):
        if row in between:
            rows.append(f'<tr><td colspan="{width}">{blocks(between[row], page)}</td></tr>\n')
        if row < count:
            cells = (f"<td{_side(c)}>{html(page, c.cells[row], role=c.role)}</td>" for c in block.columns)
            rows.append(f"<tr>{''.join(cells)}</tr>\n")
    for end in block.after:
        items = listed(f"{html(page, token)} {html(page, number)}" for token, number in end.items)
        rows.append(f'<tr><th scope="row">{escaped(end.title)}</th><td colspan="{width - 1}">{items}</td></tr>\n')
    head = f"<thead><tr>{heads}</tr></thead>\n" if any(column.title for column in block.columns) else ""
    note = f'<p class="quiet">{escaped(block.note())}</p>\n' if block.note() else ""
    return f"<table>\n{head}<tbody>\n{''.join(rows)}</tbody></table>\n{note}"


def _side(column: d.Column) -> str:
    return "" if column.align == "left" else ' class="n"'


def calculation(block: d.Calculation, page: Page) -> str:
    """A calculation in one line."""
    parts = [spanned(escaped(block.name), "name")]
    for inlines in (block.letters, block.numbers):
        if inlines:
            parts.append(html(page, *inlines))
    text = " = ".join(parts)
    if block.result is not None:
        text += f" {block.sign if block.numbers else '='} {html(page, block.result)}"
    return f"<p>{text}{html(page, *block.said)}</p>\n"


def examples(block: d.Examples, page: Page) -> str:
    """A row for each place."""
    rows = (
        f'<tr><th scope="row">{escaped(place)}</th><td>{html(page, *work)}</td></tr>\n' for place, work in block.rows
    )
    return f"<table><tbody>\n{''.join(rows)}</tbody></table>\n"


def running_sum(block: d.RunningSum, page: Page) -> str:
    """A row for each term: its factors, what is added, the running total."""
    operands = [*block.operands, *([_("product")] if block.products else [])]
    heads = [block.axis, *operands, _("total so far")]
    row_of = "".join(_row(row, len(operands), page) for row in block.rows)
    head = "".join(f'<th scope="col"{" class=n" if n else ""}>{escaped(text)}</th>' for n, text in enumerate(heads))
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{row_of}</tbody></table>\n"


def _row(row: d.Start | d.Term | d.Fold, width: int, page: Page) -> str:
    if isinstance(row, d.Term):
        numbers = (*row.factors, row.added, row.total)
        cells = "".join(f'<td class="n">{html(page, number)}</td>' for number in numbers)
        return f'<tr><th scope="row">{escaped(row.place)}</th>{cells}</tr>\n'
    if isinstance(row, d.Start):
        place, said, total = row.name, _("the sum goes on from"), html(page, row.total)
    else:
        place, said = f"{row.first} – {row.last}", _("{count} terms", count=f"{row.count:,}")
        total = f"{html(page, row.before)} → {html(page, row.after)}"
    cells = f'<td colspan="{width}" class="quiet">{escaped(said)}</td><td class="n">{total}</td>'
    return f'<tr><th scope="row" class="quiet">{escaped(place)}</th>{cells}</tr>\n'


def heatmaps(block: f.Heatmaps, page: Page) -> str:
    """One after the other, with what is said below them."""
    maps = "".join(figures.heatmap(each, page) for each in block.maps)
    return f"<div>\n{maps}</div>\n{blocks(block.notes, page)}"


BLOCKS: Mapping[type[d.Block], Draw] = {
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
    f.Graph: lambda block, page: f"<figure>{graph.svg(block)}</figure>\n",
    f.Grid: figures.grid,
    f.NumberRow: figures.number_row,
    f.Heatmap: figures.heatmap,
    f.Heatmaps: heatmaps,
    f.Chart: figures.chart,
    f.Progress: figures.progress,
    f.Scatter: figures.scatter,
    f.TokenRows: figures.token_rows,
    f.Picture: figures.picture,
    f.Pictures: figures.pictures,
    f.Board: figures.board,
    f.MatrixProduct: figures.matrix_product,
}
