"""A table in a terminal: columns under their titles; on a narrow page the less important ones are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text as RichText

from llmtrace.render.terminal.inlines import bar, rich_text
from llmtrace.render.terminal.layout import STYLES, Line, Page, left
from llmtrace.render.terminal.words import Drawn, hanging, under_each_other
from llmtrace.text import quoted
from llmtrace.views.document import Bar, Block, Column, Inline, Phrase, Table, TableEnd, Text, name

Draw = Callable[[Any, Page], Drawn]

GAP, NARROW_GAP, NARROW = 2, 1, 70
"""The space between columns, and that on pages narrower than NARROW."""
SHORTEST, ENOUGH = 4, 7
"""The length of a whole bar at least; and one that is long enough for another column to stay beside it."""


def table(block: Table, page: Page, draw: Draw) -> Drawn:
    """The titles, then a line for each row; `draw` draws the blocks between them."""
    between: dict[int, list[Block]] = {}
    for row, each in block.between:
        between.setdefault(row, []).append(each)
    lines = list(_lines(block, page))
    for n in range(max(len(lines), *(row + 2 for row in between)) if between else len(lines)):
        if n:  # after the titles
            for each in between.get(n - 1, ()):
                yield from draw(each, page)
        if n < len(lines):
            yield lines[n]
    for end in block.after:
        yield from _end(end, block, page)


def _lines(block: Table, page: Page) -> Iterator[Line]:
    length = bar_length(block, page.width)
    texts = {n: list(_texts(column, page, length)) for n, column in enumerate(block.columns)}
    widths = {n: max(text.cell_len for text in cells) for n, cells in texts.items()}
    gap = _gap(page)
    for n in dropped([column.rank for column in block.columns], widths, page.width - block.indent, gap):
        del texts[n]
    for row in range(max((len(cells) for cells in texts.values()), default=0)):
        line = RichText(" " * block.indent)
        for n, cells in texts.items():
            space = " " * (widths[n] - cells[row].cell_len)
            right = block.columns[n].align == "right"
            line.append(space if right else "")
            line.append_text(cells[row])
            line.append(("" if right else space) + " " * gap)
        yield Line(line)


def _gap(page: Page) -> int:
    return GAP if page.width >= NARROW else NARROW_GAP


def _texts(column: Column, page: Page, length: int) -> Iterator[RichText]:
    """The title and the cells of a column."""
    yield rich_text(page, column.title, role="quiet")
    cells: Sequence[Inline] = column.cells
    if column.align == "number":
        cells = [Phrase(cell) for cell in under_each_other([(cell,) for cell in cells], 1)]
    for cell in cells:
        if isinstance(cell, Bar):
            style = STYLES["negative" if cell.negative else "value"]
            yield RichText(page.plain(bar(cell.share, length)), style)
        else:
            yield rich_text(page, cell, role=column.role)


def bar_length(block: Table, width: int) -> int:
    """How long a whole bar is: bars share what the other columns leave, without those that are not worth shorter bars."""
    bars = [column for column in block.columns if any(isinstance(cell, Bar) for cell in column.cells)]
    if not bars:
        return 0
    longest = max(cell.longest for column in bars for cell in column.cells if isinstance(cell, Bar))
    extra = sum(column.width for column in block.columns)
    length = (width - block.width - extra) // len(bars)
    if extra and length < ENOUGH:
        length = (width - block.width) // len(bars)
    return max(SHORTEST, min(longest, length))


def dropped(ranks: Sequence[int], widths: Mapping[int, int], room: int, gap: int) -> list[int]:
    """Which columns go: as few as will do, those of the highest rank first; one comes back where there is room after all."""
    gone: list[int] = []
    used = sum(widths.values()) + gap * (len(widths) - 1)
    for n in sorted((n for n in widths if ranks[n]), key=lambda n: -ranks[n]):
        if used > room:
            gone.append(n)
            used -= widths[n] + gap
    for n in reversed(gone.copy()):
        if used + widths[n] + gap <= room:
            gone.remove(n)
            used += widths[n] + gap
    return gone


def _end(end: TableEnd, block: Table, page: Page) -> Drawn:
    """The last row: as much of each token as there is room for."""
    first = block.columns[0]
    margin = max(text.cell_len for text in _texts(first, page, 0))
    title = left(page.plain(end.title), margin)
    room = max(6, (page.width - margin - 8) // max(3, len(end.items)) - 11)  # a percentage takes up to 10
    cells = "   ".join(f"{quoted(token.text, room)} {number.text}" for token, number in end.items)
    yield hanging(page, name(title), " " * _gap(page), Text(cells, "value"))
