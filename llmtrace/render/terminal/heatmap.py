"""Heatmaps in a terminal: how wide their cells are, how many places fit, and how many maps stand beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text as RichText

from llmtrace.render.terminal.cells import LABEL, Cells, number_width, scale_line, tidy
from llmtrace.render.terminal.grids import labels as labels_of
from llmtrace.render.terminal.layout import STYLES, Line, Page, fit, left
from llmtrace.render.terminal.words import Drawn, hanging
from llmtrace.text import quoted, token_bytes, token_label
from llmtrace.views.document import quiet
from llmtrace.views.figures import Axis, Heatmap, Heatmaps, Place
from llmtrace.views.places import runs_text

Places = tuple[Place | None, ...]
FEW_HEADS = 4
"""So many maps are drawn with wide cells, even if more of the narrow ones would fit beside each other."""


def heatmaps(block: Heatmaps, page: Page) -> Drawn:
    """One map as large as it can be, or several small ones; then the scale, notes, and which places are shown."""
    small = block.maps[0].cells == "shades"
    made = _small(block.maps, page) if small else [fitted(each, page) for each in block.maps]
    yield from _side_by_side([each.cells for each in made], page)
    if block.apart:
        yield RichText()
    yield scale_line(block.maps[0].scale, page, page.colour)
    for note in block.notes:
        yield hanging(page, *note.inlines, indent=note.indent, hang=note.hang)
    first = made[0]
    if block.left_out and (None in first.columns or ("{rows}" in block.left_out and None in first.rows)):
        rows = runs_text(first.rows, block.maps[0].rows.size)
        columns = runs_text(first.columns, block.maps[0].columns.size)
        said = block.left_out.format(rows=rows, columns=columns, places=columns)
        yield hanging(page, quiet(said), hang=0)


def heatmap(block: Heatmap, page: Page) -> Drawn:
    """One map by itself."""
    yield fitted(block, page).cells


@dataclass(frozen=True)
class Fitted:
    """A heatmap as it is drawn, and which places are shown."""

    cells: Cells
    rows: Places
    columns: Places


def fitted(block: Heatmap, page: Page) -> Fitted:
    """A map with as many places as there is room for, and with its numbers if they are to be seen."""
    rows = block.rows.places
    if block.whole:
        columns = block.columns.places
        labels = _names(block.rows, rows, LABEL), _names(block.columns, columns, LABEL)
        return _drawn(block, rows, columns, labels, 0)
    if block.cells == "shades":
        return _small([block], page)[0]
    if block.cells == "numbers":
        return _numbers(block, page)
    names = _names(block.rows, rows, 10)
    room, keys = page.width - _margin(names, page) - 1, block.columns.size
    wide = _number_width(block, rows, block.columns.places) + 3 if keys <= 40 else page.width
    if keys * wide <= room:
        columns = block.columns.places
        long = _names(block.columns, columns, wide - 3)
        if not all(cell_len(page.plain(name)) < wide for name in long):
            long = [_short(place) for place in columns]
        return _drawn(block, rows, columns, (names, long), 0)
    cell = 2 if keys * 2 <= room else 1 if keys <= room else 2
    columns = block.columns.some(max(3, room // cell))
    return _drawn(block, rows, columns, (names, list(map(_bare, columns))), cell, tall=True)


def _numbers(block: Heatmap, page: Page) -> Fitted:
    """The numbers of as many columns as fit, under names of at most a third of the page."""
    rows = block.rows.places
    names = _names(block.rows, rows, LABEL)
    margin = min(max(map(len, names)), max(10, page.width // 3)) + 1
    wide = _number_width(block, rows, block.columns.places) + 3
    columns = block.columns.some(max(1, (page.width - margin) // wide))
    labels = names, _names(block.columns, columns, max(3, wide - 4))
    return _drawn(block, rows, columns, labels, 0, room=margin - 1)


def _drawn(
    block: Heatmap,
    rows: Places,
    columns: Places,
    labels: tuple[Sequence[str], Sequence[str]],
    cell: int,
    tall: bool = False,
    room: int = LABEL,
) -> Fitted:
    """A map of these places, with these labels of its rows and columns."""
    down, across = ([None if place is None else place.index for place in each] for each in (rows, columns))
    look: Any = {"cell": cell, "title": block.title, "tall": tall, "room": room}
    return Fitted(Cells(block.values, block.blank, block.scale, down, across, *labels, **look), rows, columns)


def _small(maps: Sequence[Heatmap], page: Page) -> list[Fitted]:
    """All maps, of as many places as leave each of them small."""
    rows, axis = maps[0].rows.places, maps[0].columns
    names = _names(maps[0].rows, rows, 10)
    room = page.width - _margin(names, page) - 1
    columns = axis.some(max(3, room))
    cell, count = 2, len(columns)
    fewer = _lines(len(maps), count * 2, room) > _lines(len(maps), count, room)
    if count * 2 > room or (fewer and len(maps) > FEW_HEADS):
        cell = 1
    tokens = list(map(_bare, columns))
    if any(len(page.plain(token)) > 1 or cell_len(token) > cell for token in tokens):
        tokens = ["" if place is None else str(place.index % 10) for place in columns]
    return [_drawn(each, rows, columns, (names, tokens), cell) for each in maps]


def _names(axis: Axis, places: Places, room: int) -> list[str]:
    return [] if not axis.labelled else labels_of(axis, places, room)


def _margin(names: Sequence[str], page: Page) -> int:
    return max(cell_len(fit(label, LABEL, page)) for label in names)


def _number_width(block: Heatmap, rows: Places, columns: Places) -> int:
    down, across = ([place.index for place in each if place is not None] for each in (rows, columns))
    return number_width(block.values, block.blank, block.scale, down, across)


def _bare(place: Place | None) -> str:
    """A token without quotes, its spaces visible."""
    return "" if place is None or place.token is None else quoted(token_bytes(place.token))[1:-1].replace(" ", "_")


def _short(place: Place | None) -> str:
    """A token alone, or else the number of its place, in quotes."""
    return "…" if place is None else token_label(place.token or str(place.index))


def _lines(maps: int, width: int, room: int) -> int:
    return -(-maps // max(1, (room + 2) // (width + 2)))


def _side_by_side(maps: list[Cells], page: Page) -> Drawn:
    """As many heatmaps beside each other as fit; the labels of the rows stand only before the first."""
    margin = maps[0].margin(page)
    size = max(item.width(page) for item in maps) - margin
    count = max(1, (page.width - margin + 2) // (size + 2))
    for start in range(0, len(maps), count):
        if start:
            yield RichText()
        yield _Row(maps[start : start + count], size)


@dataclass(frozen=True)
class _Row:
    """Some heatmaps of the same rows beside each other."""

    maps: list[Cells]
    size: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, first = Page.of(console, options), self.maps[0]
        if len(self.maps) == 1:
            yield first
            return
        margin = " " * first.margin(page)
        for texts in zip(*([item.title, *item.heads(page)] for item in self.maps), strict=True):
            style = STYLES["name"] if texts[0] == first.title else STYLES["quiet"]
            yield Line(RichText(margin).append("  ".join(left(text, self.size) for text in texts), style))
        gap = Segment("  ")
        for rows in zip(*(item.lines(page, page.colour) for item in self.maps), strict=True):
            line = [Segment(left(rows[0][0], len(margin)))]
            for _label, cells in rows:
                used = sum(segment.cell_length for segment in cells)
                line += [*cells, Segment(" " * (self.size - used)), gap]
            yield from tidy(line)
            yield Segment.line()
