"""Blocks of many numbers: grids, rows, heatmaps, curves, points and pictures. Like all blocks, without widths.

They hold references to whole arrays. The places of an `Axis` are the widest choice that is worth showing; a medium with less
room leaves out some more of them, by `document.places`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.views.document import Block, Number, Paragraph, places
from llmtrace.views.numbers import rounded
from llmtrace.views.terms import axis_word


@frozen
class Place:
    """A place of an axis: its number, the token there if there is one, or a name that says it all, also a `short` one."""

    index: int
    token: str | None = None
    name: str = ""
    short: str = ""


@frozen
class Axis:
    """An axis and those of its places that are shown; None stands for those left out. Without a name, only names are labels.

    `order`: its places from the one that matters most on. Without, the first and the last ones matter most.
    """

    name: str
    size: int
    places: tuple[Place | None, ...]
    order: tuple[int, ...] = ()

    def some(self, room: int) -> tuple[Place | None, ...]:
        """At most so many of them; None counts only where there is no `order`."""
        if room >= len(self.places):
            return self.places
        known = {place.index: place for place in self.places if place is not None}
        return tuple(None if i is None else known[i] for i in _some(self.size, room, self.order))

    @property
    def title(self) -> str:
        """Its name in a heading."""
        return axis_word(self.name)

    @property
    def labelled(self) -> bool:
        """Whether its places have labels."""
        return bool(self.name) or any(place is not None and place.name for place in self.places)

    def indices(self) -> list[int]:
        """The numbers of all places that are shown."""
        return [place.index for place in self.places if place is not None]


def axis(
    name: str,
    size: int,
    token: Callable[[int], str | None] = lambda i: None,
    room: int | None = None,
    order: Sequence[int] = (),
) -> Axis:
    """An axis with the places that matter most, in their `order` or the first and last ones: `room` at most."""
    shown = _some(size, size if room is None else room, order)
    return Axis(name, size, tuple(None if i is None else Place(i, token(i)) for i in shown), tuple(order))


def _some(size: int, room: int, order: Sequence[int]) -> list[int | None]:
    """Up to `room` places in their true order, None for those left out before, between and after them."""
    if not order or size <= room:
        return places(size, room)
    kept = sorted(order[:room])
    parted: list[int | None] = []
    for before, place in zip((-1, *kept), (*kept, size), strict=True):
        parted += ([None] if place > before + 1 else []) + ([place] if place < size else [])
    return parted


def named_axis(names: Sequence[str], size: int) -> Axis:
    """An axis whose places have names of their own, or, where there are none, no labels at all."""
    return Axis("", size, tuple(Place(i, name=names[i] if names else "") for i in range(size)))


def runs(shown: Sequence[Place | None]) -> list[tuple[int, int]]:
    """The runs of places that are shown: the first and the last of each."""
    found: list[tuple[int, int]] = []
    for place in shown:
        if place is not None:
            first = found.pop()[0] if found and found[-1][1] == place.index - 1 else place.index
            found.append((first, place.index))
    return found


@frozen
class Scale:
    """Which number has the first shade, and which the last."""

    low: float
    high: float

    def number(self, value: Any) -> str:
        """A number in a cell: all cells have the same number of decimals."""
        top, number = max(abs(self.low), abs(self.high)), float(value)
        if not math.isfinite(number) or top >= 1e6:
            return rounded(value, 3)
        decimals = 3 if top < 2 else 2 if top < 100 else 1 if top < 1000 else 0
        return f"{number:.{decimals}f}".replace("-", "−")


@frozen
class Grid(Block):
    """A few numbers of a big tensor under the names of their places. `corner`: where the axes before these two stand."""

    values: Array
    rows: Axis
    columns: Axis
    corner: str = ""
    address: str = ""
    """That of a number, with {row} and {column}."""


@frozen
class NumberRow(Block):
    """Some numbers of one row of a tensor, in their order, and where they stand.

    `where` are the places of the other axes, such as `head=1`. `first`: the places within `values` in the order in which
    they are kept where not all fit. `size`: how many numbers the row has. `tensor`: its name.
    """

    where: tuple[str, ...]
    axis: Axis
    values: Array
    first: tuple[int, ...]
    size: int
    tensor: str = ""


@frozen
class Heatmap(Block):
    """Numbers [rows, columns] as shades. `blank` places have no number, which is not the same as zero.

    `cells`: whether the numbers are written in the cells as well, always or where all of them fit. `whole`: no place of the
    axes is left out, even if there is no room.
    """

    values: Array
    blank: Array
    scale: Scale
    rows: Axis
    columns: Axis
    title: str = ""
    cells: Literal["numbers", "numbers if they fit", "shades"] = "numbers"
    whole: bool = False
    address: str = ""
    """That of a number, with {row} and {column}."""
    shares: bool = False
    """Whether the numbers of a row are shares of 1: where columns are left out, what they had is told of every row."""

    def hidden(self, row: int, columns: Sequence[Place | None]) -> float | None:
        """The part of a row that is in none of these columns; None where all of it is in them."""
        shown = [place.index for place in columns if place is not None]
        left = np.setdiff1d(np.flatnonzero(~self.blank[row]), shown)
        return float(self.values[row, left].sum(dtype=np.float64)) if left.size else None


@frozen
class Heatmaps(Block):
    """Heatmaps of the same rows and columns with one scale and what is to be said below it.

    `left_out` is said where not all places are shown, with {rows} and {columns} in it; without {rows}, only columns count.
    """

    maps: tuple[Heatmap, ...]
    notes: tuple[Paragraph, ...] = ()
    left_out: str = ""
    apart: bool = False
    """Whether there is some air before the scale."""


@frozen
class Curve:
    """One curve: what it is, with {mark} for how it is drawn, and its points: a step (from 1) and a number."""

    legend: str
    points: tuple[tuple[int, float], ...]


@frozen
class Chart(Block):
    """Curves over steps. `height`: how many rows show enough."""

    curves: tuple[Curve, ...]
    height: int = 8


@frozen
class Progress(Block):
    """How much of something is done."""

    done: int
    whole: int


@frozen
class Scatter(Block):
    """Points with names on a plane whose middle is 0, 0; both axes have the same scale."""

    points: Mapping[str, tuple[float, float]]
    height: int = 11


SPACE = "_"
"""How a space within a token is shown where tokens stand without quotes."""


@frozen
class TokenRows(Block):
    """Texts in their tokens, by a title for each."""

    rows: Mapping[str, Sequence[str]]


@frozen
class Picture(Block):
    """Numbers on a plane [rows, columns] as shades between `low` and `high`, with marks at some places, by row and column."""

    values: Array
    low: float
    high: float
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    empty: bool = False
    """Whether only the marks are shown."""


@frozen
class Pictures(Block):
    """Pictures by their titles, beside each other; `scale`: with their shades below."""

    pictures: Mapping[str, Picture]
    scale: bool = True


@frozen
class Board(Block):
    """A net as it learns: what was chosen, how well it does, its output, its neurons by layer [neurons, rows, columns], curves.

    `keys` are those that can be pressed, where it is live.
    """

    title: str
    said: str
    output: Picture
    layers: Mapping[str, Array]
    chart: Chart
    keys: str = ""


@frozen
class Matrix:
    """A matrix by its name."""

    name: str
    numbers: tuple[tuple[Number, ...], ...]


@frozen
class MatrixProduct(Block):
    """Two matrices and as much of their product as is known.

    `totals` are the running totals of each cell, by row and column. At the cell `at`, `terms` of its products are done.
    """

    first: Matrix
    second: Matrix
    product: Matrix
    totals: Mapping[tuple[int, int], tuple[Number, ...]]
    known: frozenset[tuple[int, int]]
    at: tuple[int, int] | None = None
    terms: int = 0


@frozen
class Node:
    """A node of a graph: its name, what it does, its size, the names of those before it, and its row from 0, at the top."""

    name: str
    op: str
    size: str
    inputs: tuple[str, ...]
    row: int


@frozen
class Graph(Block):
    """What was computed from what; every node stands in a row below all its inputs."""

    nodes: tuple[Node, ...]
