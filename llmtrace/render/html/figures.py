"""Blocks of many numbers in HTML: tables whose cells have shades, and small drawings in SVG with their numbers as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.render.html.words import Page, escaped, html, linked
from llmtrace.text import quoted, token_label
from llmtrace.views import figures as f
from llmtrace.views.document import Number
from llmtrace.views.numbers import rounded

WIDTH, HEIGHT, EDGE = 480, 160, 24


def label(place: f.Place | None) -> str:
    """The label of a place, or a sign for those that are left out."""
    if place is None:
        return "…"
    if place.name:
        return escaped(place.name)
    return str(place.index) if place.token is None else f"{place.index} {escaped(token_label(place.token))}"


def _address(template: str, row: f.Place, column: f.Place) -> str:
    return template.format(row=row.index, column=column.index) if template else ""


def _heads(first: str, labels: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col" class="n">{text}</th>' for text in labels)
    return f'<thead><tr><th scope="col">{first}</th>{cells}</tr></thead>\n'


def _rows(rows: Iterable[tuple[str, Iterable[str]]], side: str = ' class="n"') -> str:
    def cells(texts: Iterable[str]) -> str:
        return "".join(text if text.startswith("<td") else f"<td{side}>{text}</td>" for text in texts)

    return "".join(f'<tr><th scope="row">{name}</th>{cells(texts)}</tr>\n' for name, texts in rows)


def grid(block: f.Grid, page: Page) -> str:
    """A table of the places that are there."""
    values = np.atleast_2d(block.values)

    def cell(row: f.Place | None, column: f.Place | None) -> str:
        if row is None or column is None:
            return "…"
        return linked(page, _address(block.address, row, column), rounded(values[row.index, column.index]))

    columns = block.columns.places
    rows = [(label(row), [cell(row, column) for column in columns]) for row in block.rows.places]
    corner = f"<p>{escaped(_('at {place}', place=block.corner))}</p>\n" if block.corner else ""
    first = " ".join(
        escaped(each) for each in (block.rows.title, block.columns.name and f"{block.columns.title} →") if each
    )
    return f"{corner}<table>\n{_heads(first, map(label, columns))}<tbody>\n{_rows(rows)}</tbody></table>\n"


def number_row(block: f.NumberRow, page: Page) -> str:
    """A table of one row."""
    places = [place for place in block.axis.places if place is not None]
    numbers = [rounded(value) for value in block.values[: len(places)]]
    more = ["…"] if block.size > len(places) else []
    first = escaped(", ".join([*block.where, block.axis.name]))
    return f"<table>\n{_heads(first, [*map(label, places), *more])}<tbody>\n{_rows([('', [*numbers, *more])])}</tbody></table>\n"


def heatmap(block: f.Heatmap, page: Page) -> str:
    """A table with a shade for each number; the number stands in the cell, so that the shade says nothing alone."""
    span = block.scale.high - block.scale.low

    def cell(row: f.Place, column: f.Place) -> str:
        if block.blank[row.index, column.index]:
            return "<td></td>"
        value = block.values[row.index, column.index]
        share = (float(value) - block.scale.low) / span if span and np.isfinite(value) else 0.0
        text = linked(page, _address(block.address, row, column), escaped(block.scale.number(value)))
        return f'<td style="background:rgba(230,140,0,{min(1.0, max(0.0, share)):.2f})">{text}</td>'

    columns = [place for place in block.columns.places if place is not None]
    rows = [(label(row), [cell(row, column) for column in columns]) for row in block.rows.places if row is not None]
    caption = f"<caption>{escaped(block.title)}</caption>\n" if block.title else ""
    return f'<table class="heat">\n{caption}{_heads("", map(label, columns))}<tbody>\n{_rows(rows)}</tbody></table>\n'


def chart(block: f.Chart, page: Page) -> str:
    """Lines over steps, and under them each curve's first and last point."""
    points = [point for curve in block.curves for point in curve.points if np.isfinite(point[1])]
    if not points:
        return ""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    lines = []
    for n, curve in enumerate(block.curves):
        path = " ".join(
            f"{_scaled(x, xs, WIDTH)},{HEIGHT - _scaled(y, ys, HEIGHT):.1f}" for x, y in curve.points if np.isfinite(y)
        )
        dash = f' stroke-dasharray="{6 - 2 * n} {2 * n}"' if n else ""
        lines.append(f'<polyline points="{path}" fill="none" stroke="currentColor"{dash}/>')
    legend = "".join(f"<li>{_legend(curve)}</li>" for curve in block.curves)
    name = ", ".join(curve.legend.format(mark="").strip() for curve in block.curves)
    return _drawing("".join(lines), name) + f"<ul>{legend}</ul>\n"


def _legend(curve: f.Curve) -> str:
    (first, begin), (last, end) = curve.points[0], curve.points[-1]
    return escaped(f"{curve.legend.format(mark='').strip()}: {first} → {rounded(begin)}, {last} → {rounded(end)}")


def _scaled(value: float, among: Sequence[float], size: int) -> float:
    low, high = min(among), max(among)
    return round((value - low) / (high - low or 1) * (size - 2 * EDGE) + EDGE, 1)


def _drawing(content: str, name: str, height: int = HEIGHT, width: int = WIDTH) -> str:
    svg = (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img"><title>{escaped(name)}</title>{content}</svg>'
    )
    return f"<figure>{svg}</figure>\n"


def progress(block: f.Progress, page: Page) -> str:
    """How much is done."""
    return f'<p><progress value="{block.done}" max="{block.whole}">{block.done} / {block.whole}</progress></p>\n'


def scatter(block: f.Scatter, page: Page) -> str:
    """Points with their names, and a table of their coordinates."""
    reach = max((abs(each) for point in block.points.values() for each in point), default=1.0) or 1.0
    marks = []
    for name, (x, y) in block.points.items():
        left, top = (WIDTH / 2) * (1 + 0.8 * x / reach), (WIDTH / 2) * (1 - 0.8 * y / reach)
        inward = f'x="{left - 5:.1f}" text-anchor="end"' if x > 0 else f'x="{left + 5:.1f}"'  # else it would be cut off
        marks.append(
            f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="currentColor"/>'
            f'<text {inward} y="{top:.1f}" font-size="12" fill="currentColor">{escaped(name)}</text>'
        )
    middle = WIDTH / 2
    axes = f'<path d="M0 {middle}H{WIDTH}M{middle} 0V{WIDTH}" stroke="currentColor" opacity=".3"/>'
    rows = [(escaped(name), [rounded(x), rounded(y)]) for name, (x, y) in block.points.items()]
    return (
        _drawing(axes + "".join(marks), ", ".join(block.points), WIDTH)
        + f"<table><tbody>\n{_rows(rows)}</tbody></table>\n"
    )


def token_rows(block: f.TokenRows, page: Page) -> str:
    """A row for each text."""
    rows = [(escaped(title), [" ".join(escaped(quoted(t)) for t in tokens)]) for title, tokens in block.rows.items()]
    return f"<table><tbody>\n{_rows(rows, '')}</tbody></table>\n"


def picture(block: f.Picture, page: Page, name: str = "") -> str:
    """Cells with shades and marks. `name`: what it shows, for those who don't see it."""
    rows, columns = block.values.shape
    span = block.high - block.low or 1.0
    cells = []
    for row in range(rows):
        for column in range(columns):
            share = 0.0 if block.empty else (float(block.values[row, column]) - block.low) / span
            mark = block.marks.get((row, column), "")
            share = min(1.0, max(0.0, share)) if np.isfinite(share) else 0.0
            cells.append(
                f'<rect x="{10 * column}" y="{10 * row}" width="10" height="10" fill="#e68c00" fill-opacity="{share:.2f}"/>'
                + (
                    f'<text x="{10 * column + 2}" y="{10 * row + 9}" font-size="10">{escaped(mark)}</text>'
                    if mark
                    else ""
                )
            )
    paper = f'<rect width="{10 * columns}" height="{10 * rows}" fill="#fff"/>'  # for marks are black, on dark pages too
    return _drawing(paper + "".join(cells), name or _("numbers as shades"), 10 * rows, 10 * columns)


def pictures(block: f.Pictures, page: Page) -> str:
    """One after the other, each with its title."""
    return "".join(f"<p>{escaped(title)}</p>\n{picture(each, page, title)}" for title, each in block.pictures.items())


def board(block: f.Board, page: Page) -> str:
    """The net's output, its neurons, and its losses."""
    layers = "".join(
        f"<p>{escaped(name)}</p>\n{_neurons(name, neurons, page)}" for name, neurons in block.layers.items()
    )
    return (
        f"<p>{escaped(block.title)}</p>\n<p>{escaped(block.said)}</p>\n"
        f"{picture(block.output, page, block.title)}{layers}{chart(block.chart, page)}"
    )


def _neurons(name: str, neurons: Array, page: Page) -> str:
    pictures = (f.Picture(each, float(each.min()), float(each.max())) for each in neurons)
    return "".join(picture(each, page, f"{name} · {number}") for number, each in enumerate(pictures))


def matrix_product(block: f.MatrixProduct, page: Page) -> str:
    """Both matrices, and as much of the product as is known."""

    def table(matrix: f.Matrix, known: frozenset[tuple[int, int]] | None = None) -> str:
        def cell(row: int, column: int, number: Number) -> str:
            return html(page, number) if known is None or (row, column) in known else ""

        rows = [("", [cell(r, c, n) for c, n in enumerate(numbers)]) for r, numbers in enumerate(matrix.numbers)]
        return f"<table><caption>{escaped(matrix.name)}</caption><tbody>\n{_rows(rows)}</tbody></table>\n"

    return table(block.first) + table(block.second) + table(block.product, block.known)
