"""A table in a terminal: columns under their titles; on a narrow page the less important ones are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import ConsoleRenderable
from rich.text import Text as RichText

from llmtrace.i18n import _, clauses, listed
from llmtrace.render.terminal.cjk import wrapped
from llmtrace.render.terminal.inlines import bar, rich_text
from llmtrace.render.terminal.layout import STYLES, Hanging, Line, Page, left
from llmtrace.render.terminal.words import Drawn, hanging, under_each_other
from llmtrace.text import quoted
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Histogram,
    Inline,
    Phrase,
    Table,
    TableEnd,
    Text,
    label,
    name,
    quiet,
)

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
    drawn = _Drawn(block, page)
    lines = list(drawn.lines())
    for n in range(max(len(lines), *(row + 2 for row in between)) if between else len(lines)):
        if n:  # after the titles
            for each in between.get(n - 1, ()):
                yield from draw(each, page)
        if n < len(lines):
            yield from lines[n]
    for end in block.after:
        yield from _end(end, block, page)
    if note := block.note(drawn.shown):
        yield hanging(page, quiet(note), hang=0)
    if gone := drawn.left_out():
        text = _("Not shown for lack of room: {columns}.", columns=listed(f"“{each}”" for each in gone))
        yield hanging(page, quiet(text), hang=0)


class _Drawn:
    """A table on a page: which columns are shown, and whether its rows are lines or, where these are too long, sentences."""

    def __init__(self, block: Table, page: Page) -> None:
        self.block, self.page, self.gap = block, page, _gap(page)
        length = bar_length(block, page.width)
        self.texts = {n: list(_texts(column, page, length)) for n, column in enumerate(block.columns)}
        self.widths = {n: max(text.cell_len for text in cells) for n, cells in self.texts.items()}
        room = page.width - block.indent
        gone = dropped([column.rank for column in block.columns], self.widths, room, self.gap)
        self.shown = [n for n in self.texts if n not in gone]
        used = sum(self.widths[n] for n in self.shown) + self.gap * (len(self.shown) - 1)
        self.heads = [[self.texts[n][0]] for n in self.shown]
        if used > room:
            self.heads = self._broken(room)
        self.sentences = not self.heads
        if self.sentences:
            self.shown = [n for n, column in enumerate(block.columns) if not _drawing(column)]

    def _broken(self, room: int) -> list[list[RichText]]:
        """The titles in lines as wide as their columns' cells and longest words, and no wider; none, where that is too wide."""
        for n in self.shown:
            title, *cells = self.texts[n]
            words = (cell_len(word) for word in title.plain.split())
            self.widths[n] = max((*words, *(cell.cell_len for cell in cells)), default=0)
        if sum(self.widths[n] for n in self.shown) + self.gap * (len(self.shown) - 1) > room:
            return []
        heads = []
        for n in self.shown:
            title, width = self.texts[n][0], max(1, self.widths[n])
            heads.append([title[start:end] for start, end in wrapped(title.plain, width, width)])
            for line in heads[-1]:
                line.rstrip()
        return heads

    def left_out(self) -> list[str]:
        """The titles of the columns that have something to tell and are not shown."""
        return [
            self.texts[n][0].plain
            for n, column in enumerate(self.block.columns)
            if n not in self.shown and column.title and any(cell.plain.strip() for cell in self.texts[n][1:])
        ]

    def lines(self) -> Iterator[list[ConsoleRenderable]]:
        """The titles, then the rows; sentences have no titles above them."""
        height = max(map(len, self.heads), default=0)
        padded = [[RichText()] * (height - len(head)) + head for head in self.heads]
        for row in range(max((len(cells) for cells in self.texts.values()), default=0)):
            if self.sentences:
                yield [self._sentence(row)] if row else []
            elif row:
                yield [self._line([self.texts[n][row] for n in self.shown])]
            else:
                yield [self._line([head[line] for head in padded]) for line in range(height)]

    def _line(self, cells: list[RichText]) -> Line:
        line = RichText(" " * self.block.indent)
        for n, cell in zip(self.shown, cells, strict=True):
            space = " " * (self.widths[n] - cell.cell_len)
            right = self.block.columns[n].align == "right"
            line.append(space if right else "")
            line.append_text(cell)
            line.append(("" if right else space) + " " * self.gap)
        return Line(line)

    def _sentence(self, row: int) -> Hanging:
        """`block.0.ln_1: shape 6p×128f, min −3.11, max 2.85`."""
        cells = [(self.texts[n][0].plain, self.texts[n][row].plain.strip()) for n in self.shown]
        said = [" ".join(f"{title} {cell}".split()) for title, cell in cells if cell]
        if cells and cells[0][1] and self.block.columns[self.shown[0]].role == "name":
            said[0] = cells[0][1]
        text = label(said[0]) + clauses(said[1:]) if len(said) > 1 else "".join(said)
        return hanging(self.page, text, indent=self.block.indent)


def _drawing(column: Column) -> bool:
    """Whether a column is only drawn: bars, histograms."""
    return bool(column.cells) and any(isinstance(cell, Bar | Histogram) for cell in column.cells)


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
