"""Sizes in words, and a few numbers of a big tensor as a small grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import ConsoleRenderable

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.i18n import NN_, _, n_
from llmtrace.render.terminal.layout import NAME, QUIET, Page
from llmtrace.text import quoted
from llmtrace.views.numbers import rounded

_SIZES = {
    "batch": NN_("{n} text", "{n} texts"),
    "position": NN_("{n} position", "{n} positions"),
    "feature": NN_("{n} feature", "{n} features"),
    "head": NN_("{n} head", "{n} heads"),
    "query": NN_("{n} query", "{n} queries"),
    "key": NN_("{n} key", "{n} keys"),
    "vocabulary": NN_("{n} token of the vocabulary", "{n} tokens of the vocabulary"),
    "in": NN_("{n} input", "{n} inputs"),
    "out": NN_("{n} output", "{n} outputs"),
}

Label = Callable[[str, int], str | None]
"""The token at a place of an axis, or None."""


def sizes(shape: Sequence[int], axes: Axes) -> str:
    """`3 heads × 6 queries × 6 keys`."""
    words = []
    for size, axis in zip(shape, axes, strict=True):
        known = _SIZES.get(axis)
        words.append(n_(*known, size, n=f"{size:,}") if known else f"{size:,} {axis}")
    return " × ".join(words) or _("one number")


def summary(values: Array) -> str:
    """Smallest, largest and mean of the finite numbers."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        return _("no finite numbers")
    mean = rounded(np.float64(finite.mean(dtype=np.float64)))
    text = _(
        "smallest {low}, largest {high}, mean {mean}", low=rounded(finite.min()), high=rounded(finite.max()), mean=mean
    )
    left = values.size - finite.size
    more = _("{text}; {count} not finite (masked places are −∞)")
    return text if not left else more.format(text=text, count=left)


def some(count: int, room: int) -> list[int | None]:
    """Up to `room` places of `count`: the first and the last ones; None stands for those left out."""
    if count <= room:
        return list(range(count))
    first = max(1, room - 1 - room // 2)
    return [*range(first), None, *range(count - (room - 1 - first), count)]


def place_label(label: Label, axis: str, index: int, room: int = 12) -> str:
    """`3 'cat'`, or only the number."""
    token = label(axis, index)
    return str(index) if token is None else f"{index} {quoted(token, room)}"


def grid(values: Array, axes: Axes, label: Label, page: Page, rows: int = 6) -> Iterator[ConsoleRenderable]:
    """The last two axes of a tensor with the names of their places; the axes before them stand at 0."""
    corner = ", ".join(f"{axis}={0}" for axis in axes[:-2])
    if corner:
        yield page.line((_("at {place}", place=corner), QUIET), indent=2)
    table = np.atleast_2d(values[(0,) * max(0, values.ndim - 2)])
    row_axis, column_axis = axes[-2] if len(axes) > 1 else "", axes[-1] if axes else ""
    shown = some(table.shape[0], rows)
    names = [place_label(label, row_axis, i) if i is not None else "…" for i in shown] if row_axis else [""]
    names = [page.plain(text) for text in names]
    margin = max(map(cell_len, [*names, row_axis]))
    columns = _columns(table, [i for i in shown if i is not None], column_axis, label, page, page.width - margin - 2)
    yield page.line((f"{' ' * margin}  {column_axis} →", QUIET), indent=2)
    yield page.line((_left(row_axis, margin) + "  " + "  ".join(head for head, _cells in columns), QUIET), indent=2)
    for i, name in zip(shown, names, strict=True):
        cells = [cells[i] if i is not None else " " * cell_len(head) for head, cells in columns]
        yield page.line((_left(name, margin), NAME), "  " + "  ".join(cells), indent=2)


def _columns(
    table: Array, rows: list[int], axis: str, label: Label, page: Page, room: int
) -> list[tuple[str, dict[int, str]]]:
    """As many columns as there is room for, each with its heading and its texts by row; one may stand for the rest."""

    def column_of(place: int | None) -> tuple[str, dict[int, str]]:
        head = "…" if place is None else place_label(label, axis, place)
        texts = [head, *("…" if place is None else rounded(table[i, place]) for i in rows)]
        texts = [page.plain(text) for text in texts]
        width = max(map(cell_len, texts))
        padded = [" " * (width - cell_len(text)) + text for text in texts]
        return padded[0], dict(zip(rows, padded[1:], strict=True))

    for count in range(min(table.shape[1], 12), 0, -1):
        columns = [column_of(place) for place in some(table.shape[1], count)]
        if 2 + sum(cell_len(head) + 2 for head, _cells in columns) <= room or count == 1:
            return columns
    return []


def _left(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def preview(values: Array, room: int, count: int = 6) -> str:
    """The first numbers of a row, as many as there is room for: `0.1234  −0.5  …`."""
    for shown in range(min(count, values.size), 0, -1):
        text = "  ".join(rounded(number) for number in values[:shown]) + ("  …" if values.size > shown else "")
        if len(text) <= room:
            return text
    return "…"


def settings(values: Any) -> str:
    """The settings of a step: `epsilon = 0.00001`."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())
