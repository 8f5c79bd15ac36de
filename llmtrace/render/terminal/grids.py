"""A few numbers of a big tensor in a terminal: as many columns as there is room for, the places left out marked by `…`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len

from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.render.terminal.layout import Page
from llmtrace.render.terminal.words import Drawn, hanging
from llmtrace.text import token_label
from llmtrace.views.document import Text, name, quiet
from llmtrace.views.figures import Axis, Grid, NumberRow, Place
from llmtrace.views.numbers import column, rounded

CELL, LABEL = 10, 8
"""The width of a number with the space before it, and of a token over it."""


def place_label(place: Place | None, room: int = 12) -> str:
    """`3 'cat'`, or only the number, or the name that a place has."""
    if place is None:
        return "…"
    if place.name:
        return place.name
    return str(place.index) if place.token is None else f"{place.index} {token_label(place.token, room)}"


def labels(axis: Axis, shown: Sequence[Place | None], room: int = 12) -> list[str]:
    """The labels of the places of an axis; those of one without a name are empty."""
    return [place_label(each, room) if axis.name or each is None or each.name else "" for each in shown]


@frozen
class _Column:
    head: str
    cells: dict[int, str]


def grid(block: Grid, page: Page) -> Drawn:
    """Where the other axes stand, the name of the columns' axis, the places, and a line for each row."""
    if block.corner:
        yield hanging(page, quiet(_("at {place}", place=block.corner)), indent=2)
    names = [page.plain(text) for text in labels(block.rows, block.rows.places)]
    margin = max(map(cell_len, [*names, block.rows.title]))
    columns = _columns(block, page, page.width - margin - 2)
    yield hanging(page, quiet(f"{' ' * margin}  {block.columns.title} →"), indent=2)
    heads = "  ".join(each.head for each in columns)
    yield hanging(page, quiet(f"{_left(block.rows.title, margin)}  {heads}"), indent=2)
    for place, label in zip(block.rows.places, names, strict=True):
        cells = [each.cells[place.index] if place is not None else " " * cell_len(each.head) for each in columns]
        yield hanging(page, name(_left(label, margin)), "  " + "  ".join(cells), indent=2)


def _columns(block: Grid, page: Page, room: int) -> list[_Column]:
    """As many columns as there is room for; one may stand for the rest."""
    rows = block.rows.indices()

    def column_of(place: Place | None) -> _Column:
        texts = ["…" if place is None else rounded(block.values[i, place.index]) for i in rows]
        texts = [page.plain(text) for text in (place_label(place), *texts)]
        width = max(map(cell_len, texts))
        head, *cells = [" " * (width - cell_len(text)) + text for text in texts]
        return _Column(head, dict(zip(rows, cells, strict=True)))

    for count in range(len(block.columns.places), 0, -1):
        columns = [column_of(place) for place in block.columns.some(count)]
        if 2 + sum(cell_len(each.head) + 2 for each in columns) <= room or count == 1:
            return columns
    return []


def number_row(block: NumberRow, page: Page) -> Drawn:
    """Where the numbers stand, the tokens over them if they have any, and the numbers."""
    room = max(1, min(len(block.values), (page.width - 4) // CELL))
    shown = sorted(block.first[:room])
    heads = [place_label(block.axis.places[n], LABEL) if _has_token(block, n) else "" for n in shown]
    alike = column(block.values)
    texts = [alike[n].strip() for n in shown]
    cells = max(CELL, *(len(text) + 2 for text in texts), *(cell_len(page.plain(head)) + 2 for head in heads))
    fitting = max(1, (page.width - 4) // cells)
    shown, heads, texts = shown[:fitting], heads[:fitting], texts[:fitting]
    indices = [place.index for place in (block.axis.places[n] for n in shown) if place is not None]
    yield hanging(page, quiet(f"[{', '.join([*block.where, f'{block.axis.name}={span(indices)}'])}]"), indent=4)
    if any(heads):
        yield hanging(page, quiet(_cells(heads, cells, page)), indent=2)
    more = " …" if len(shown) < block.size and fitting * cells + 4 < page.width else ""
    yield hanging(page, Text(_cells(texts, cells, page) + more), indent=2)


def _has_token(block: NumberRow, n: int) -> bool:
    place = block.axis.places[n]
    return place is not None and place.token is not None


def span(indices: Sequence[int]) -> str:
    """`3…5`, where places follow one another; `…` where they do not."""
    if len(indices) == 1:
        return str(indices[0])
    run = bool(np.array_equal(indices, range(indices[0], indices[0] + len(indices))))
    return f"{indices[0]}…{indices[-1]}" if run else "…"


def _cells(texts: list[str], width: int, page: Page) -> str:
    return "".join(" " * (width - cell_len(text)) + text for text in map(page.plain, texts))


def _left(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
