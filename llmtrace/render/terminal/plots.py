"""Curves, points, progress and texts in tokens, drawn with characters that are as wide everywhere as they look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text as RichText

from llmtrace.i18n import _, listed
from llmtrace.render.terminal.layout import STYLES, Line, Page, left
from llmtrace.render.terminal.palette import background
from llmtrace.render.terminal.words import Drawn, hanging
from llmtrace.views import document as d
from llmtrace.views.figures import SPACE, Chart, Graph, Progress, Scatter, TokenRows

MARGIN, LEAST, WIDEST = 9, 10, 80
"""The columns before a curve, the fewest for the curve itself, and the most for all of it."""
MARKS = "*o"
"""What curves are drawn with."""
POINT = "*"
LEAST_HALF = 3
"""How far the smallest cross of points reaches up and down."""
TURNS = (4, 7, 5, 8)
"""The shades of tokens that follow one another: neighbours can be told apart, and black be read on all of them."""


def chart(block: Chart, page: Page) -> Drawn:
    """Curves, by themselves."""
    yield from curves(block, page, min(page.width, WIDEST))


def curves(block: Chart, page: Page, width: int) -> Drawn:
    """Curves from their highest to their lowest point, the first one over the others, and what they are."""
    room, drawn = width - MARGIN, [curve for curve in block.curves if curve.points]
    values = [value for curve in drawn for _step, value in curve.points]
    steps = {step for curve in drawn for step, _value in curve.points}
    if len(steps) < 2 or room < LEAST:
        return
    high, low, last = max(values), min(values), max(steps)
    grid = [[" "] * room for _row in range(block.height)]
    for curve, mark in reversed(list(zip(drawn, MARKS, strict=False))):
        for step, value in curve.points:
            row = round((high - value) / (high - low or 1) * (block.height - 1))
            grid[row][(step - 1) * (room - 1) // max(1, last - 1)] = mark
    for i, marks in enumerate(grid):
        ends = i in {0, block.height - 1}
        label = f"{high - (high - low) * i / (block.height - 1):8.3g} " if ends else " " * MARGIN
        yield hanging(page, d.quiet(label), "".join(marks).rstrip())
    legend = "   ".join(curve.legend.format(mark=mark) for curve, mark in zip(drawn, MARKS, strict=False))
    yield hanging(page, d.quiet(legend), indent=MARGIN)


def progress(block: Progress, page: Page) -> Drawn:
    """A bar between brackets."""
    room = max(1, min(page.width, WIDEST) - 2)
    done = room * block.done // max(1, block.whole)
    yield hanging(page, d.quiet(f"[{'=' * done}{' ' * (room - done)}]"))


def scatter(block: Scatter, page: Page) -> Drawn:
    """A cross for the axes, a mark and a name for each point: as large as there is room for, but no larger than asked for.

    Where there is no room for any: the names in the order in which they stand.
    """
    for half in range(block.height // 2, LEAST_HALF - 1, -1):
        lines = list(_points(block, half, page))
        if all(line.cell_len <= page.width for line in lines):
            yield from map(Line, lines)
            return
    for text, axis in ((_("from left to right: {names}"), 0), (_("from bottom to top: {names}"), 1)):
        names = sorted(block.points, key=lambda name: block.points[name][axis])
        yield hanging(page, text.format(names=listed(names)), indent=2)


def _points(block: Scatter, half: int, page: Page) -> Iterator[RichText]:
    """The lines of a cross that reaches so far up and down; a row is as high as two columns are wide."""
    name_style, quiet_style = STYLES["name"], STYLES["quiet"]
    largest = max((abs(number) for point in block.points.values() for number in point), default=0.0) or 1.0
    names: dict[int, list[tuple[int, str]]] = {}
    for name, (x, y) in block.points.items():
        names.setdefault(round(half - y / largest * half), []).append((round(x / largest * 2 * half), name))
    margin = max((cell_len(name) for name in block.points), default=0) + 3
    for row in range(2 * half + 1):
        line = RichText(" " * (margin - 1))
        axis = [("-" if row == half else " ") for _column in range(4 * half + 1)]
        axis[2 * half] = "+" if row == half else "|"
        used = 0
        for column, name in sorted(names.get(row, ())):
            place = column + 2 * half
            if used and place <= used:
                line.append(f" {page.plain(name)}", name_style)
                continue
            line.append("".join(axis[used:place]), quiet_style).append(POINT, name_style).append(
                f" {page.plain(name)}", name_style
            )
            used = place + 2 + cell_len(page.plain(name))
        yield line.append("".join(axis[used:]), quiet_style)


def graph(block: Graph, page: Page) -> Drawn:
    """A line for each node, in the order of the run: how it was computed from which others."""
    for node in block.nodes:
        if node.op:
            yield hanging(
                page, d.name(node.name), f" = {node.op}({', '.join(node.inputs)})", d.quiet(f"  {node.size}"), hang=4
            )


def token_rows(block: TokenRows, page: Page) -> Drawn:
    """Texts with a | between two tokens; where there are colours, each has a background of its own, too."""
    titles = [page.plain(title) for title in block.rows]
    margin = max(map(cell_len, titles), default=0) + 2
    for title, tokens in zip(titles, block.rows.values(), strict=True):
        first = left(title, margin)
        for line in _token_lines(tokens, page, page.width - 2 - margin):
            yield Line(RichText("  ").append(first, STYLES["quiet"]).append_text(line))
            first = " " * margin


def _token_lines(tokens: Sequence[str], page: Page, room: int) -> list[RichText]:
    """The tokens in lines of at most so many columns; one that is too long for a line goes on in the next."""
    lines, room = [RichText()], max(room, 2)
    parts = [
        (n, part)
        for n, token in enumerate(tokens)
        for part in _parts(page.plain(token.replace(" ", SPACE), typed=True), room)
    ]
    for i, (n, shown) in enumerate(parts):
        before = "|" if lines[-1].plain and n != parts[i - 1][0] else ""
        if lines[-1].plain and lines[-1].cell_len + cell_len(before + shown) > room:
            lines.append(RichText())
            before = ""
        lines[-1].append(before, STYLES["quiet"]).append(
            shown, background(TURNS[n % len(TURNS)]) if page.colour else ""
        )
    return lines


def _parts(text: str, room: int) -> list[str]:
    """A text in parts of at most so many columns."""
    parts = [""]
    for character in text:
        if parts[-1] and cell_len(parts[-1] + character) > room:
            parts.append("")
        parts[-1] += character
    return parts
