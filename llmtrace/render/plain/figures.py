"""Blocks of many numbers as sentences: what matters most of each row, and how much the rest is."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _, clauses, listed, n_
from llmtrace.render.plain.words import rows_said, said, spoken
from llmtrace.text import quoted
from llmtrace.views import figures as f
from llmtrace.views.document import label as named
from llmtrace.views.numbers import percent, rounded

MOST = 3
"""Of a row of a heatmap, so many numbers are said one by one."""
LOOKS = 3
"""Of a picture, so many places along each side are said."""


def label(place: f.Place) -> str:
    """`3 'cat'`, or only the number or the name."""
    if place.name:
        return said(place.name)
    return str(place.index) if place.token is None else f"{place.index} {quoted(place.token)}"


def graph(block: f.Graph) -> Iterator[str]:
    """A line for each node: what it was computed from, and how."""
    for node in block.nodes:
        if node.op:
            text = _(
                "{name} ({size}): {op} of {inputs}",
                name=said(node.name),
                size=node.size,
                op=said(node.op),
                inputs=listed(map(said, node.inputs)),
            )
            yield (
                text
                if node.inputs
                else _("{name} ({size}): {op}", name=said(node.name), size=node.size, op=said(node.op))
            )


def grid(block: f.Grid) -> Iterator[str]:
    """A line for each row that is there."""
    if block.corner:
        yield _("at {place}", place=said(block.corner))
    columns = [place for place in block.columns.places if place is not None]
    for place in block.rows.places:
        if place is None:
            continue
        row = np.atleast_2d(block.values)[place.index]
        cells = clauses(named(label(each)) + _number(row[each.index]) for each in columns)
        start = f"{block.rows.title} {label(place)}{_('; ')}" if block.rows.name else ""
        more = "" if len(columns) == block.columns.size else _("; {count} in all", count=f"{block.columns.size:,}")
        yield f"{start}{block.columns.title} {cells}{more}"
    rows = len([place for place in block.rows.places if place is not None])
    if rows < block.rows.size:
        yield _("{shown} of {count} rows", shown=rows, count=f"{block.rows.size:,}")


def number_row(block: f.NumberRow) -> Iterator[str]:
    """All of it in a line."""
    places = [place for place in block.axis.places if place is not None]
    cells = clauses(named(label(place)) + _number(value) for place, value in zip(places, block.values, strict=False))
    start = listed(block.where) + _("; ") if block.where else ""
    more = "" if len(places) == block.size else _("; {count} in all", count=f"{block.size:,}")
    yield f"{start}{block.axis.title} {cells}{more}"


def heatmap(block: f.Heatmap) -> Iterator[str]:
    """A line for each row: the largest numbers, and what the others have together, or between which they lie."""
    if block.title:
        yield said(block.title)
    rows = [place for place in block.rows.places if place is not None]
    shown, first = rows_said(len(rows), _(" and {count} columns", count=block.columns.size))
    yield from first
    for place in rows[len(rows) - shown :]:  # the last ones look back on most
        values, there = block.values[place.index], ~block.blank[place.index]
        known = [each for each in block.columns.places if each is not None and there[each.index]]
        order = sorted(known, key=lambda each: _rank(values[each.index]))
        cells = [named(label(each)) + _cell(values[each.index], block.shares) for each in order[:MOST]]
        rest = np.array([values[each.index] for each in order[MOST:]])
        said_of_it = clauses([*cells, *_others(rest, block.shares)]) if cells else _("no numbers")
        yield label(place) + _("; ") + said_of_it


def _rank(value: float) -> float:
    return -math.inf if math.isnan(value) else -value


def _cell(value: float, shares: bool) -> str:
    return said(percent(value)) if shares else _number(value)


def _others(rest: Array, shares: bool) -> list[str]:
    """What is said of the numbers of a row that are not said one by one."""
    if not rest.size:
        return []
    if shares:
        together = said(percent(float(rest.sum(dtype=np.float64))))
        return [n_("{count} other: {sum}", "{count} others together: {sum}", rest.size, count=rest.size, sum=together)]
    low, high = _number(rest.min()), _number(rest.max())
    text = n_(
        "{count} other: {low}", "{count} others from {low} to {high}", rest.size, count=rest.size, low=low, high=high
    )
    return [text]


def chart(block: f.Chart) -> Iterator[str]:
    """For each curve its first, its last, and its lowest point, and a few between."""
    for curve in block.curves:
        shown = curve.points[:: max(1, len(curve.points) // 6)]
        points = dict.fromkeys([*shown, *curve.points[-1:]])
        cells = clauses(_("step {step}: {number}", step=step, number=_number(value)) for step, value in points)
        yield named(said(curve.legend.format(mark="")).strip()) + cells


def progress(block: f.Progress) -> Iterator[str]:
    """How much is done."""
    yield _("{done} of {whole} done", done=f"{block.done:,}", whole=f"{block.whole:,}")


def scatter(block: f.Scatter) -> Iterator[str]:
    """Each point with its coordinates, and which one is nearest to it."""
    for name, (x, y) in block.points.items():
        others = [other for other in block.points if other != name]
        near = min(others, key=lambda other: math.dist(block.points[other], (x, y)), default="")
        text = _("{name}: {x} to the right, {y} up", name=said(name), x=_number(x), y=_number(y))
        yield text + (_("; nearest to {other}", other=said(near)) if near else "")


def token_rows(block: f.TokenRows) -> Iterator[str]:
    """A line for each text."""
    for title, tokens in block.rows.items():
        yield named(said(title)) + " ".join(map(quoted, tokens))


def picture(block: f.Picture) -> Iterator[str]:
    """What stands at some places of it, from the top left to the bottom right, and how many marks there are of each kind."""
    rows, columns = block.values.shape
    if not block.empty:
        for n, row in enumerate(_spread(rows)):
            values = listed(_number(block.values[row, column]) for column in _spread(columns))
            where = (_("above"), _("in the middle"), _("below"))[n] if rows >= LOOKS else str(row)
            yield _("{where}, from left to right: {values}", where=where, values=values)
    marks = sorted(set(block.marks.values()))
    if marks:
        counts = listed(f"{mark} {sum(each == mark for each in block.marks.values())}" for mark in marks)
        yield _("marks: {counts}", counts=counts)


def _spread(size: int) -> list[int]:
    """A few places from the first to the last."""
    return sorted({round(n * (size - 1) / (LOOKS - 1)) for n in range(LOOKS)}) if size else []


def pictures(block: f.Pictures) -> Iterator[str]:
    """One after the other."""
    for title, each in block.pictures.items():
        yield f"{said(title)}:"
        yield from picture(each)


def board(block: f.Board) -> Iterator[str]:
    """The net in words: how well it does, what it says, how many neurons it has."""
    yield said(block.title)
    yield said(block.said)
    yield from picture(block.output)
    for name, neurons in block.layers.items():
        yield n_("{name}: {count} neuron", "{name}: {count} neurons", len(neurons), name=said(name), count=len(neurons))
    yield from chart(block.chart)
    if block.keys:
        yield said(block.keys)


def matrix_product(block: f.MatrixProduct) -> Iterator[str]:
    """Both matrices row by row, then every number of the product that is known, with how its sum grows."""
    for matrix in (block.first, block.second):
        for n, row in enumerate(matrix.numbers):
            numbers = listed(said(number) for number in row)
            yield _("{name}, row {row}: {numbers}", name=said(matrix.name), row=n, numbers=numbers)
    for at in sorted(block.known | ({block.at} if block.at else set())):
        totals = block.totals.get(at, ())
        done = totals[: block.terms] if at == block.at else totals
        steps = f" {_('then')} ".join(said(total) for total in done)
        place = _("{name}, row {row}, column {column}", name=said(block.product.name), row=at[0], column=at[1])
        if at in block.known:
            place += named("") + said(block.product.numbers[at[0]][at[1]])
        yield place + (_("; the sum so far: {steps}", steps=steps) if steps else "")


def _number(value: float) -> str:
    return spoken(rounded(value))
