"""Heatmaps in a terminal: how wide their cells are, how many places fit, and how many maps stand beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text as RichText

from llmtrace.frozen import frozen
from llmtrace.i18n import _, beside, clauses
from llmtrace.render.terminal.cells import LABEL, Cells, number_width, scale_line, tidy
from llmtrace.render.terminal.grids import labels as labels_of
from llmtrace.render.terminal.grids import place_label
from llmtrace.render.terminal.layout import STYLES, Line, Page, fit, left
from llmtrace.render.terminal.words import Drawn, hanging
from llmtrace.text import quoted, token_bytes, token_label
from llmtrace.views.document import label, name, quiet
from llmtrace.views.figures import Axis, Heatmap, Heatmaps, Place
from llmtrace.views.places import runs_text

Places = tuple[Place | None, ...]
BEHIND = 8
"""How many columns stand behind a row for what is not shown of it."""
MOST = 5
"""So many numbers of the last row are told where they do not fit into the cells."""
FEW_HEADS = 4
"""So many maps are drawn with wide cells, even if more of the narrow ones would fit beside each other."""


def heatmaps(block: Heatmaps, page: Page) -> Drawn:
    """One map as large as it can be, or several small ones; then the scale, notes, and which places are shown."""
    small = block.maps[0].cells == "shades"
    made = _small(block.maps, page) if small else [fitted(each, page) for each in block.maps]
    yield from _side_by_side([each.cells for each in made], page)
    if block.apart:
        yield RichText()
    yield scale_line(block.maps[0].scale, page, page.colour, bool(made[0].cells.cell))
    for note in block.notes:
        yield hanging(page, *note.inlines, indent=note.indent, hang=note.hang)
    if block.maps[0].cells == "numbers if they fit" and made[0].cells.cell:
        yield from _without_numbers(block.maps[0], made[0], page)
    yield from _left_out(block, made[0], page)


def _left_out(block: Heatmaps, made: Fitted, page: Page) -> Drawn:
    """Which places are shown, where that is not all, what the numbers behind the rows are, and how all are seen."""
    first = block.maps[0]
    fewer, shorter = made.partly, "{rows}" in block.left_out and None in made.rows
    if not block.left_out or not (fewer or shorter):
        return
    rows, columns = runs_text(made.rows, first.rows.size), runs_text(made.columns, first.columns.size)
    text = block.left_out.format(rows=rows, columns=columns, places=columns)
    if any(made.cells.hidden):
        text = beside(f"{text} ", _("Behind a row: how much of it is not shown."))
    if fewer:
        wide = 1 if made.cells.cell else made.cells.cell_width(page)
        needed = _window(first, made.rows, page, first.columns.size * wide)
        text = beside(f"{text} ", _("A window of {width} columns shows all of them.", width=needed))
    if shorter:
        text = beside(f"{text} ", _("--all shows every row."))
    yield hanging(page, quiet(text), hang=0)


def _window(block: Heatmap, rows: Places, page: Page, cells: int) -> int:
    """How wide a page must be for cells of so many columns: on a wider one the labels of the rows are longer, too."""
    if block.cells == "numbers":
        return _number_margin(block, rows, replace(page, width=cells)) + cells
    before, needed = 0, page.width
    while needed != before:
        wider = replace(page, width=needed)
        before, needed = needed, 1 + cells + _margin(_names(block.rows, rows, max(4, label_room(wider) - 4)), wider)
    return needed


def _without_numbers(block: Heatmap, made: Fitted, page: Page) -> Drawn:
    """How wide the numbers are, and the largest of the last row, where they do not fit into the cells."""
    shown, keys = [place for place in made.rows if place is not None][-1], block.columns.places
    wide = _number_width(block, made.rows, keys) + 3
    needed = _window(block, made.rows, page, block.columns.size * wide)
    there = [place for place in keys if place is not None and not block.blank[shown.index, place.index]]
    best = sorted(there, key=lambda place: -np.nan_to_num(block.values[shown.index, place.index], nan=np.inf))[:MOST]
    cells = [
        label(place_label(place, 0)) + block.scale.number(block.values[shown.index, place.index]) for place in best
    ]
    text = _(
        "The largest numbers of the last row, {row}: {numbers}.", row=place_label(shown, 0), numbers=clauses(cells)
    )
    how = _("A window of {width} columns shows the numbers of all rows.", width=needed)
    yield hanging(page, quiet(beside(f"{text} ", how)), hang=0)


def heatmap(block: Heatmap, page: Page) -> Drawn:
    """One map by itself; a sentence for each row, where all its numbers are to be seen and there is no room."""
    made = fitted(block, page)
    if made.cells.width(page) <= page.width:
        yield made.cells
        return
    if block.title:
        yield hanging(page, name(block.title))
    for row in filter(None, block.rows.places):
        shown = [each for each in block.columns.places if each is not None and not block.blank[row.index, each.index]]
        cells = [
            f"{_said(block.columns, each)} {block.scale.number(block.values[row.index, each.index])}" for each in shown
        ]
        before = label(title) if (title := _said(block.rows, row)) else ""
        yield hanging(page, before + clauses(each.strip() for each in cells), indent=2)


def _said(axis: Axis, place: Place) -> str:
    return place_label(place, 0) if axis.labelled else ""


@frozen
class Fitted:
    """A heatmap as it is drawn, and which places are shown."""

    cells: Cells
    rows: Places
    columns: Places
    partly: bool
    """Whether there are other columns."""


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
    names = _names(block.rows, rows, max(4, label_room(page) - 4))
    room, keys = page.width - _margin(names, page) - 1, block.columns.size
    wide = _number_width(block, rows, block.columns.places) + 3
    if None not in block.columns.places and keys * wide <= room:
        columns = block.columns.places
        for heads in (_names(block.columns, columns, 0), [_short(place) for place in columns]):
            if all(cell_len(page.plain(head)) < wide for head in heads):
                return _drawn(block, rows, columns, (names, heads), 0, room=label_room(page))
        return _drawn(block, rows, columns, (names, list(map(_bare, columns))), 0, tall=True, room=label_room(page))
    cell = 2 if keys * 2 <= room else 1
    columns = _some(block, room if keys <= room else room - BEHIND * block.shares)
    return _drawn(block, rows, columns, (names, list(map(_bare, columns))), cell, tall=True, room=label_room(page))


def label_room(page: Page) -> int:
    """How wide the labels of rows may be: a third of a narrow page, longer tokens on a wide one."""
    return max(min(LABEL, max(4, page.width // 3)), min(2 * LABEL, page.width // 6))


def _some(block: Heatmap, room: int) -> Places:
    """As many columns as that; those that were chosen by what is in them stand side by side."""
    columns = block.columns.some(max(3, room))
    return tuple(place for place in columns if place is not None) if block.columns.order else columns


def _numbers(block: Heatmap, page: Page) -> Fitted:
    """The numbers of as many columns as fit, under names of at most a third of the page."""
    rows, most = block.rows.places, max(10, page.width // 3)
    if any(place is not None and cell_len(place.name) > most for place in rows):
        rows = tuple(place and replace(place, name=place.short or place.name) for place in rows)
    names, margin = _names(block.rows, rows, LABEL), _number_margin(block, rows, page)
    wide = _number_width(block, rows, block.columns.places) + 3
    columns = block.columns.some(max(1, (page.width - margin) // wide))
    heads = _names(block.columns, columns, 0)
    tall = any(cell_len(page.plain(head)) >= wide for head in heads)
    labels = names, list(map(_bare, columns)) if tall else heads
    return _drawn(block, rows, columns, labels, 0, tall=tall, room=margin - 1)


def _number_margin(block: Heatmap, rows: Places, page: Page) -> int:
    """How many columns the labels of the rows take, with the space after them: at most a third of the page."""
    return min(max(map(len, _names(block.rows, rows, LABEL))), max(10, page.width // 3)) + 1


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
    look: Any = {
        "cell": cell,
        "title": block.title,
        "tall": tall,
        "room": room,
        "hidden": _hidden(block, rows, columns),
        "signs": not block.whole,
    }
    cells = Cells(block.values, block.blank, block.scale, down, across, *labels, **look)
    return Fitted(cells, rows, columns, sum(place is not None for place in columns) < block.columns.size)


def _hidden(block: Heatmap, rows: Places, columns: Places) -> list[str]:
    """How much of each row is in columns that are not shown."""
    if not block.shares or sum(place is not None for place in columns) == block.columns.size:
        return []
    parts = [None if row is None else block.hidden(row.index, columns) for row in rows]
    return ["" if part is None else " " + _("{number} %", number=f"{100 * part:>5.1f}") for part in parts]


def _small(maps: Sequence[Heatmap], page: Page) -> list[Fitted]:
    """All maps, of as many places as leave each of them small."""
    rows, axis = maps[0].rows.places, maps[0].columns
    names = _names(maps[0].rows, rows, max(4, label_room(page) - 4))
    room = page.width - _margin(names, page) - 1
    columns = _some(maps[0], room if axis.size <= room else room - BEHIND * maps[0].shares)
    cell, count = 2, len(columns)
    fewer = _lines(len(maps), count * 2, room) > _lines(len(maps), count, room)
    if count * 2 + (BEHIND if count < axis.size else 0) > room or (fewer and len(maps) > FEW_HEADS):
        cell = 1
    tokens = list(map(_bare, columns))
    if any(len(page.plain(token)) > 1 or cell_len(token) > cell for token in tokens):
        tokens = [""] * len(columns)
    return [_drawn(each, rows, columns, (names, tokens), cell, room=label_room(page)) for each in maps]


def _names(axis: Axis, places: Places, room: int) -> list[str]:
    return [] if not axis.labelled else labels_of(axis, places, room)


def _margin(names: Sequence[str], page: Page) -> int:
    return max(cell_len(fit(label, label_room(page), page)) for label in names)


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


@frozen
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
