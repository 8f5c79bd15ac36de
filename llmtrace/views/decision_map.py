"""What a net makes of a plane: the picture of its output and of every neuron, and both losses as it learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.segment import Segment
from rich.style import Style

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.render.terminal.heatmap import Scale, tidy
from llmtrace.render.terminal.layout import NAME, QUIET, Page
from llmtrace.render.terminal.palette import CHARACTERS, COLOURS, UNKNOWN, background, character, in_colour, levels
from llmtrace.render.terminal.table import Line, fit, left
from llmtrace.views.training import Point, curves

Marks = Mapping[tuple[int, int], str]
"""What is written at some places of a picture, by row and column."""
GAP, MARGIN = 2, 9
CURVES = 4
"""The rows of the loss curves."""
WORDS = 4
"""The rows of a board that are neither picture nor curve: two above, the legend, the keys."""


def picture_rows(width: int, height: int) -> int:
    """How many rows the picture of the output has on a screen: it is twice as wide, and the neurons stand beside it."""
    return max(4, min(height - WORDS - CURVES, (width - 30) // 2, 32))


@dataclass(frozen=True)
class Surface:
    """Numbers on a plane [rows, columns], each the space of one character; `low` and `high` have the first and last shade."""

    values: Array
    low: float
    high: float
    marks: Marks = field(default_factory=dict)
    empty: bool = False
    """Whether only the marks are shown."""

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.values.shape[1])

    def lines(self, colour: bool) -> Iterator[list[Segment]]:
        """Row by row. Without colours a mark stands in the place of the shade."""
        count, blank = len(COLOURS) if colour else len(CHARACTERS), np.full(self.values.shape, self.empty)
        shades = levels(self.values, self.low, self.high, count, blank)
        for n, row in enumerate(shades.tolist()):
            marks = [self.marks.get((n, place), "") for place in range(self.width)]
            cells = zip(marks, row, strict=True)
            if colour:
                made = (Segment(mark or ("?" if level == UNKNOWN else " "), _shade(level)) for mark, level in cells)
                yield list(Segment.simplify(made))
            else:
                yield [Segment("".join(mark or character(level) for mark, level in cells))]

    def smaller(self, rows: int) -> Surface:
        """Every so many numbers of it."""
        whole, columns = self.values.shape
        down, across = (
            ((np.arange(count) + 0.5) * size / count).astype(int)
            for count, size in ((rows, whole), (2 * rows, columns))
        )
        return Surface(self.values[np.ix_(down, across)], self.low, self.high)


def _shade(level: int) -> Style | None:
    return background(level) if level >= 0 else None


@dataclass(frozen=True)
class Neurons:
    """The pictures of all neurons, layer by layer, as large as there is room for, in the shades of one Surface."""

    layers: Mapping[str, Array]
    """By name, [neurons, rows, columns]."""
    low: float
    high: float
    width: int
    rows: int

    def lines(self, page: Page, colour: bool) -> Iterator[list[Segment]]:
        """Row by row, no more than there is room for."""
        height = self._height()
        each = self._in_a_row(height)
        made: list[list[Segment]] = []
        for name, neurons in self.layers.items():
            for first in range(0, len(neurons), each):
                tiles = [Surface(n, self.low, self.high).smaller(height) for n in neurons[first : first + each]]
                numbers = "".join(f"[{first + n}]".ljust(2 * height + 1) for n in range(len(tiles)))
                made.append([Segment(page.plain("" if first else name).ljust(MARGIN)), Segment(numbers)])
                for parts in zip(*(tile.lines(colour) for tile in tiles), strict=True):
                    line = [Segment(" " * MARGIN)]
                    for part in parts:
                        line += [*part, Segment(" ")]
                    made.append(line)
        yield from made[: self.rows]

    def _in_a_row(self, height: int) -> int:
        return max(1, (self.width - MARGIN + 1) // (2 * height + 1))

    def _height(self) -> int:
        """The largest height of a neuron's picture for which all fit; 1 where none does."""
        for height in range(self.rows - 1, 1, -1):
            each = self._in_a_row(height)
            fits = 2 * height <= self.width - MARGIN
            if fits and sum(-(-len(n) // each) * (height + 1) for n in self.layers.values()) <= self.rows:
                return height
        return 1


@dataclass(frozen=True)
class Board:
    """The playground as it stands: what was chosen, how well it does, the output, the neurons, and both curves."""

    title: str
    said: str
    output: Surface
    layers: Mapping[str, Array]
    looks: Sequence[Point]
    keys: str = ""
    """The keys that can be pressed, on the last line; none on a page."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, colour = Page.of(options), in_colour(console, options)
        yield Line(page.text((self.title, NAME)))
        yield Line(page.text(self.said))
        output = self.output
        rows, room = output.values.shape[0], options.max_width - output.width - GAP
        neurons = Neurons(self.layers, output.low, output.high, room, rows)
        beside = list(neurons.lines(page, colour)) if room > MARGIN + 4 else []
        for n, line in enumerate(output.lines(colour)):
            right = [Segment(" " * GAP), *beside[n]] if n < len(beside) else []
            yield from Segment.adjust_line_length(tidy([*line, *right]), options.max_width, pad=False)
            yield Segment.line()
        drawn = curves(self.looks, page, options.max_width, CURVES, _("{mark} loss in the test"))
        lines = console.render_lines(Group(*drawn), options, pad=False) if len(self.looks) > 1 else []
        if self.keys:  # they are always in the same place
            lines = [*lines[: CURVES + 1], *([[]] * (CURVES + 1 - len(lines)))]
        for line in lines:
            yield from line
            yield Segment.line()
        if self.keys:
            yield Line(page.text((self.keys, QUIET)))


@dataclass(frozen=True)
class InARow:
    """Some pictures side by side, with a title above each."""

    pictures: Mapping[str, Surface]
    with_scale: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, colour = Page.of(options), in_colour(console, options)
        shown = list(self.pictures.values())
        titles = [left(fit(name, s.width, page), s.width) for name, s in self.pictures.items()]
        yield Line(page.text(((" " * GAP).join(titles), NAME)))
        for parts in zip(*(each.lines(colour) for each in shown), strict=True):
            line = [segment for part in parts for segment in (*part, Segment(" " * GAP))]
            yield from Segment.adjust_line_length(tidy(line), options.max_width, pad=False)
            yield Segment.line()
        if self.with_scale:
            yield Scale(shown[0].low, shown[0].high).view(page, colour)
