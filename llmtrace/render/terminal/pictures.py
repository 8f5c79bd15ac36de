"""Pictures in a terminal, a character for each number; and the board of a net that learns, with its neurons beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.segment import Segment
from rich.style import Style

from llmtrace.frozen import frozen
from llmtrace.render.terminal.cells import scale_line, tidy
from llmtrace.render.terminal.cjk import SPACE, wrapped
from llmtrace.render.terminal.inlines import rich_text
from llmtrace.render.terminal.layout import Line, Page, left
from llmtrace.render.terminal.palette import CHARACTERS, COLOURS, UNKNOWN, background, character, levels
from llmtrace.render.terminal.plots import curves
from llmtrace.render.terminal.words import Drawn, hanging
from llmtrace.views.document import Role, name
from llmtrace.views.figures import Board, Picture, Pictures, Scale

GAP, MARGIN = 2, 9
LEAST = 2
"""The fewest rows of a picture."""


@frozen
class SegmentLine:
    """One line that is never wrapped."""

    segments: list[Segment]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from Segment.adjust_line_length(tidy(self.segments), options.max_width, pad=False)
        yield Segment.line()


def picture_lines(picture: Picture, colour: bool) -> Iterator[list[Segment]]:
    """Row by row. Without colours a mark stands in the place of the shade."""
    count, blank = len(COLOURS) if colour else len(CHARACTERS), np.full(picture.values.shape, picture.empty)
    shades = levels(picture.values, picture.low, picture.high, count, blank)
    for n, row in enumerate(shades.tolist()):
        marks = [picture.marks.get((n, place), "") for place in range(len(row))]
        cells = zip(marks, row, strict=True)
        if colour:
            made = (Segment(mark or ("?" if level == UNKNOWN else " "), _shade(level)) for mark, level in cells)
            yield list(Segment.simplify(made))
        else:
            yield [Segment("".join(mark or character(level) for mark, level in cells))]


def _shade(level: int) -> Style | None:
    return background(level) if level >= 0 else None


def smaller(picture: Picture, rows: int) -> Picture:
    """A picture of so many rows out of every so many numbers of another."""
    whole, columns = picture.values.shape
    down, across = (
        ((np.arange(count) + 0.5) * size / count).astype(int) for count, size in ((rows, whole), (2 * rows, columns))
    )
    marks = {(i * rows // whole, j * 2 * rows // columns): mark for (i, j), mark in picture.marks.items()}
    return Picture(picture.values[np.ix_(down, across)], picture.low, picture.high, marks, picture.empty)


def fitting(picture: Picture, page: Page) -> Picture:
    """A picture that is no wider than the page."""
    return picture if picture.values.shape[1] <= page.width else smaller(picture, max(1, page.width // 2))


def picture(block: Picture, page: Page) -> Drawn:
    """One picture."""
    for line in picture_lines(fitting(block, page), page.colour):
        yield SegmentLine(line)


def pictures(block: Pictures, page: Page) -> Drawn:
    """Some pictures with a title above each: side by side, or below each other where there is no room."""
    shown = list(block.pictures.values())
    widths = [max(each.values.shape[1], cell_len(page.plain(title))) for title, each in block.pictures.items()]
    if sum(widths) + GAP * (len(widths) - 1) > page.width:
        for title, each in block.pictures.items():
            yield hanging(page, name(title))
            yield from picture(each, page)
    else:
        titles = [left(page.plain(title), width) for title, width in zip(block.pictures, widths, strict=True)]
        yield Line(rich_text(page, name((" " * GAP).join(titles))))
        spaces = [width - each.values.shape[1] + GAP for each, width in zip(shown, widths, strict=True)]
        for parts in zip(*(picture_lines(each, page.colour) for each in shown), strict=True):
            both = zip(parts, spaces, strict=True)
            yield SegmentLine([segment for part, space in both for segment in (*part, Segment(" " * space))])
    if block.scale:
        yield scale_line(Scale(shown[0].low, shown[0].high), page, page.colour)


def board(block: Board, page: Page) -> Drawn:
    """A title, how well it does, the output with the neurons beside it, and the curves.

    A live board (one with keys) has a height: what its words take more than a line each, its picture has less.
    """
    output = fitting(block.output, page)
    rows = output.values.shape[0]
    spare = max(0, rows - LEAST) if block.keys else None
    keys, spare = _words(block.keys, page, "quiet", spare)
    said, spare = _words(block.said, page, "", spare)
    title, spare = _words(block.title, page, "name", spare)
    if spare is not None and spare < max(0, rows - LEAST):
        rows = LEAST + spare
        output = smaller(output, rows)
    yield from (*title, *said)
    neurons = _Neurons(block, page.width - output.values.shape[1] - GAP, rows)
    beside = list(neurons.lines(page)) if neurons.fit else []
    for n, line in enumerate(picture_lines(output, page.colour)):
        right = [Segment(" " * GAP), *beside[n]] if n < len(beside) else []
        yield SegmentLine([*line, *right])
    yield _Curves(block)
    yield from keys


def _words(text: str, page: Page, role: Role, spare: int | None) -> tuple[list[Line], int | None]:
    """The lines of some words, with at most `spare` more than one, and how many are spare then; None stands for any number."""
    line = rich_text(page, text, role=role)
    kept = (
        re.sub("(?<! ) (?! )", SPACE, line.plain) if "  " in text else line.plain
    )  # of several things each stays whole
    found = [line[start:end] for start, end in wrapped(kept, page.width, page.width)] if text else []
    if spare is not None:
        found = found[: spare + 1]
        spare -= max(0, len(found) - 1)
    return [Line(each) for each in found], spare


@frozen
class _Curves:
    """The curves of a board; with as many lines as ever, where keys stand below them."""

    block: Board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        chart, page = self.block.chart, Page.of(console, options)
        lines = console.render_lines(Group(*curves(chart, page, page.width)), options, pad=False)
        if self.block.keys:
            room = chart.height + 1
            lines = [*lines[:room], *([[]] * (room - len(lines)))]
        for line in lines:
            yield from line
            yield Segment.line()


@frozen
class _Neurons:
    """The pictures of all neurons, layer by layer, as large as there is room for."""

    block: Board
    width: int
    rows: int

    def lines(self, page: Page) -> Iterator[list[Segment]]:
        """Row by row, no more than there is room for."""
        height, low, high = self._height(), self.block.output.low, self.block.output.high
        each = self._in_a_row(height)
        made: list[list[Segment]] = []
        for layer, neurons in self.block.layers.items():
            for first in range(0, len(neurons), each):
                tiles = [smaller(Picture(n, low, high), height) for n in neurons[first : first + each]]
                numbers = "".join(f"[{first + n}]".ljust(2 * height + 1) for n in range(len(tiles)))
                made.append([Segment(page.plain("" if first else layer).ljust(MARGIN)), Segment(numbers)])
                for parts in zip(*(picture_lines(tile, page.colour) for tile in tiles), strict=True):
                    line = [Segment(" " * MARGIN)]
                    for part in parts:
                        line += [*part, Segment(" ")]
                    made.append(line)
        yield from made[: self.rows]

    def _in_a_row(self, height: int) -> int:
        return max(1, (self.width - MARGIN + 1) // (2 * height + 1))

    @property
    def fit(self) -> bool:
        """Whether there is room for them."""
        return self._height() > 1

    def _height(self) -> int:
        """The largest height of a neuron's picture for which all fit; 1 where none does."""
        for height in range(self.rows - 1, 1, -1):
            each = self._in_a_row(height)
            fits = 2 * height <= self.width - MARGIN
            if fits and sum(-(-len(n) // each) * (height + 1) for n in self.block.layers.values()) <= self.rows:
                return height
        return 1
