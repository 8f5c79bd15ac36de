"""Numbers as cells of a heatmap, drawn by ourselves as coloured spaces, so that big ones are quick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.render.terminal.inlines import rich_text
from llmtrace.render.terminal.layout import STYLES, Hanging, Line, Page, fit, left
from llmtrace.render.terminal.palette import (
    BLANK,
    CHARACTERS,
    COLOURS,
    UNKNOWN,
    background,
    character,
    levels,
)
from llmtrace.views.figures import Scale
from llmtrace.views.numbers import rounded

Places = Sequence[int | None]
"""Places of an axis that are shown; None stands for those left out between them."""
LABEL = 14
STRONGEST = "*"
"""Stands in cells of the last colour, which can't be told from a white page."""
TALL = 24
"""The most characters of a label that is written downwards."""


@frozen
class Cells:
    """Values [rows, columns] as cells of one width. `blank` places stay empty: there is no number there.

    `rows` and `columns` are the places shown, `row_labels` and `column_labels` the texts at them, one for each place
    shown. `cell`: the width of a cell; 0 for one in which the numbers fit. Nothing is wider than `width`.
    """

    values: Array
    blank: Array
    scale: Scale
    rows: Places
    columns: Places
    row_labels: Sequence[str] = ()
    column_labels: Sequence[str] = ()
    cell: int = 2
    title: str = ""
    tall: bool = False
    """Column labels are written downwards, with the numbers of their places under them."""
    hidden: Sequence[str] = ()
    """What is said behind each row shown."""
    room: int = LABEL
    """The widest label of a row."""
    signs: bool = True
    """Whether a number has the sign of its shade beside it where there are no colours: where a scale says what signs mean."""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = self.width(Page.of(console, options))
        return Measurement(min(width, options.max_width), min(width, options.max_width))

    def width(self, page: Page) -> int:
        """How many columns the heatmap takes, if there are as many."""
        cells = self.cell_width(page) * len(self.columns) + max(map(len, self.hidden), default=0)
        return self.margin(page) + max(cells, cell_len(page.plain(self.title)))

    def margin(self, page: Page) -> int:
        """How many columns the labels of the rows take, with the space after them."""
        return max((cell_len(fit(label, self.room, page)) + 1 for label in self.row_labels), default=0)

    def cell_width(self, page: Page) -> int:
        """How many columns a cell takes."""
        return self.cell or number_width(self.values, self.blank, self.scale, self.rows, self.columns) + 3

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(console, options)
        margin, width = self.margin(page), options.max_width
        crop = self.width(page) > width
        if self.title:
            yield Line(Text(" " * margin).append(page.plain(self.title), STYLES["name"]))
        for text in self.heads(page):
            yield Line(Text(" " * margin).append(text, STYLES["quiet"]))
        for label, cells in self.lines(page, page.colour):
            line = [Segment(left(label, margin)), *cells]
            yield from tidy(Segment.adjust_line_length(line, width, pad=False) if crop else line)
            yield Segment.line()

    def heads(self, page: Page) -> list[str]:
        """The labels of the columns: each in its cell, or downwards."""
        width = self.cell_width(page)
        places = list(zip(self.columns, self.column_labels, strict=False))
        if self.tall:
            letters = [(place, page.plain(label, typed=True)) for place, label in places]
            after = 0 if self.cell else 1 if page.colour else 3
            return [*_downwards(letters, width, after, page), *_stacked(self.columns, width, after, page)]
        if places and not any(label for _place, label in places):
            return _stacked(self.columns, width, 0, page)
        cells = []
        for place, label in places:
            whole = "…" if place is None else fit(label, max(1, width - 1 if width > 2 else width), page)
            whole = page.plain(whole)[:width]
            cells.append(" " * (width - cell_len(whole)) + whole if width <= 2 else left(whole, width))
        return ["".join(cells).rstrip()] if cells else []

    def lines(self, page: Page, colour: bool) -> Iterator[tuple[str, list[Segment]]]:
        """For each row its label and its cells."""
        width = self.cell_width(page)
        labels = [fit(label, self.room, page) for label in self.row_labels] or [""] * len(self.rows)
        columns = [place if place is not None else 0 for place in self.columns]
        gaps = [n for n, place in enumerate(self.columns) if place is None]
        count = len(COLOURS) if colour else len(CHARACTERS)
        behind = self.hidden or [""] * len(self.rows)
        for row, label, hidden in zip(self.rows, labels, behind, strict=True):
            quiet = [Segment(hidden, Style.parse(STYLES["quiet"]))] if hidden else []
            if row is None:
                yield page.plain("…"), []
                continue
            values, blank = self.values[row, columns], self.blank[row, columns].copy()
            blank[gaps] = True
            shades = levels(values, self.scale.low, self.scale.high, count, blank).tolist()
            if self.cell:
                yield label, _cells(shades, width, colour) + quiet
            else:
                yield label, self._numbers(values, shades, width, colour, page) + quiet

    def _numbers(self, values: Array, shades: list[int], width: int, colour: bool, page: Page) -> list[Segment]:
        segments = []
        for value, level in zip(values, shades, strict=True):
            text = page.plain("" if level == BLANK else self.scale.number(value))
            style: Style | None = background(level) if colour and level >= 0 else None
            if colour:
                segments.append(Segment(f"{text:>{width - 1}} ", style))
            else:
                segments.append(Segment(f"{text:>{width - 3}} {character(level) if self.signs else ' '} "))
        return segments


def scale_line(scale: Scale, page: Page, colour: bool, marked: bool = False) -> Hanging:
    """`shades: 0 .:-=+*#%@ 0.8`, the shades in their order; of colours the last with its mark, where cells have it."""
    text = rich_text(page, _("shades:"), f" {rounded(np.float64(scale.low), 3)} ")
    for level in range(len(COLOURS) if colour else len(CHARACTERS)):
        swatch = STRONGEST if marked and level == len(COLOURS) - 1 else ""
        text.append(swatch.rjust(2) if colour else CHARACTERS[level], background(level) if colour else "")
    text.append_text(rich_text(page, f" {rounded(np.float64(scale.high), 3)}"))
    return Hanging(text)


def number_width(values: Array, blank: Array, scale: Scale, rows: Places, columns: Places) -> int:
    """The width of the widest number that is shown."""
    shown = np.ix_(*([place for place in axis if place is not None] for axis in (rows, columns)))
    numbers = values[shown][~blank[shown]]
    return max((len(scale.number(value)) for value in numbers), default=1)


def _cells(shades: list[int], width: int, colour: bool) -> list[Segment]:
    if not colour:
        return [Segment("".join(character(level).rjust(width) for level in shades))]
    segments = []
    marks = {UNKNOWN: "?", len(COLOURS) - 1: STRONGEST}
    for level, run in groupby(shades):
        cell = marks.get(level, "").rjust(width)
        segments.append(Segment(cell * len(list(run)), background(level) if level >= 0 else None))
    return segments


def tidy(segments: list[Segment]) -> list[Segment]:
    """Without the spaces at the end that have no colour."""
    while segments and not segments[-1].style and not segments[-1].text.rstrip():
        segments.pop()
    if segments and not segments[-1].style:
        segments[-1] = Segment(segments[-1].text.rstrip())
    return segments


def _downwards(labels: list[tuple[int | None, str]], width: int, after: int, page: Page) -> list[str]:
    """Labels written downwards, ending at the same height; `after`: how far their cells go on to the right."""
    letters = [[] if place is None else _letters(label, width, page) for place, label in labels]
    height = max(map(len, letters), default=0)
    lines = []
    for n in range(height):
        cells = [column[n - height + len(column)] if n >= height - len(column) else "" for column in letters]
        lines.append("".join(" " * (width - after - cell_len(cell)) + cell + " " * after for cell in cells).rstrip())
    return lines


def _stacked(columns: Places, width: int, after: int, page: Page) -> list[str]:
    """The numbers of places over their cells; in narrow ones their digits stand below one another."""
    gap = "." if page.ascii else "…"
    texts = [gap if place is None else str(place) for place in columns]
    height = max(map(len, texts), default=0)
    if height < width - after:
        return ["".join(text.rjust(width - after) + " " * after for text in texts).rstrip()]
    digits = [text.rjust(height) for text in texts]
    return ["".join(text[n].rjust(width - after) + " " * after for text in digits).rstrip() for n in range(height)]


def _letters(label: str, width: int, page: Page) -> list[str]:
    found = [letter for letter in label if 0 < cell_len(letter) <= width]
    return [*found[: TALL - 1], "~" if page.ascii else "…"] if len(found) > TALL else found
