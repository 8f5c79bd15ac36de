"""Every kind of block in a terminal: what draws it, and how blocks are put below one another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.text import Text as RichText

from llmtrace.display import plain_wanted
from llmtrace.encodings import in_encoding
from llmtrace.frozen import frozen
from llmtrace.render.plain.blocks import lines as plain_lines
from llmtrace.render.terminal import grids, heatmap, pictures, plots, products, sums, words
from llmtrace.render.terminal import table as tables
from llmtrace.render.terminal.layout import PLAIN_SIGNS, Branches, Hanging, Indented, Page
from llmtrace.views import document as d
from llmtrace.views import figures as f

Draw = Callable[[Any, Page], words.Drawn]


@frozen
class Printed:
    """Blocks that Rich can print, with as many columns as the console gives them."""

    blocks: Iterable[d.Block]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if plain_wanted():
            page = Page.of(console, options)
            for line in plain_lines(self.blocks):
                text = in_encoding(line, page.encoding, page.plain_signs)
                yield Hanging(RichText(text), hang=0)
            return
        page = Page.of(console, options)
        for block in self.blocks:
            yield from draw(block, page)


def draw(block: d.Block, page: Page) -> words.Drawn:
    """One block."""
    yield from BLOCKS[type(block)](block, page)


@frozen
class InAscii:
    """A renderable with no signs but those of ASCII."""

    item: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        encoding = PLAIN_SIGNS + options.encoding.removeprefix(PLAIN_SIGNS)
        yield from console.render(self.item, replace(options, encoding=encoding))


def group(block: d.Group, page: Page) -> words.Drawn:
    """Blocks that are set in."""
    yield Indented(Printed(block.blocks), block.indent) if block.indent else Printed(block.blocks)


def tree(block: d.Tree, page: Page) -> words.Drawn:
    """What is explained, and below it, on the lines of a tree, what it leans on."""
    yield Printed((block.head, *block.body))
    if block.children:
        yield Hanging(RichText())
        yield words.hanging(page, d.heading(block.title))
        yield Branches([Printed((child,)) for child in block.children])


def table(block: d.Table, page: Page) -> words.Drawn:
    """A table, with what stands between its rows."""
    yield from tables.table(block, page, draw)


BLOCKS: Mapping[type[d.Block], Draw] = {
    d.Paragraph: words.paragraph,
    d.Heading: words.paragraph,
    d.Item: words.item,
    d.Space: words.space,
    d.Code: words.code,
    d.Definitions: words.definitions,
    d.Calculation: words.calculation,
    d.Examples: words.examples,
    d.RunningSum: sums.running_sum,
    d.Table: table,
    f.Graph: plots.graph,
    f.Grid: grids.grid,
    f.NumberRow: grids.number_row,
    f.Heatmap: heatmap.heatmap,
    f.Heatmaps: heatmap.heatmaps,
    f.Chart: plots.chart,
    f.Progress: plots.progress,
    f.Scatter: plots.scatter,
    f.TokenRows: plots.token_rows,
    f.Picture: pictures.picture,
    f.Pictures: pictures.pictures,
    f.Board: pictures.board,
    f.MatrixProduct: products.matrix_product,
    d.Group: group,
    d.Tree: tree,
}


def printed(document: d.Document) -> ConsoleRenderable:
    """A document that Rich can print."""
    return Printed(document.blocks)
