"""Points with names on a plane, drawn with characters: a cross for the axes, a mark and a name for each point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from llmtrace.render.terminal.layout import NAME, QUIET, Page
from llmtrace.render.terminal.table import Line

MARK = "*"


@dataclass(frozen=True)
class Plane:
    """Points by name. The middle is 0, 0; both axes have the same scale, a row being as high as two columns are wide."""

    points: Mapping[str, tuple[float, float]]
    height: int = 11

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, half = Page.of(options), self.height // 2
        largest = max((abs(number) for point in self.points.values() for number in point), default=0.0) or 1.0
        names: dict[int, list[tuple[int, str]]] = {}
        for name, (x, y) in self.points.items():
            names.setdefault(round(half - y / largest * half), []).append((round(x / largest * 2 * half), name))
        margin = max((cell_len(name) for name in self.points), default=0) + 3
        for row in range(2 * half + 1):
            line = Text(" " * (margin - 1))
            axis = [("-" if row == half else " ") for _column in range(4 * half + 1)]
            axis[2 * half] = "+" if row == half else "|"
            used = 0
            for column, name in sorted(names.get(row, ())):
                place = column + 2 * half
                if used and place <= used:
                    line.append(f" {page.plain(name)}", NAME)
                    continue
                line.append("".join(axis[used:place]), QUIET).append(MARK, NAME).append(f" {page.plain(name)}", NAME)
                used = place + 2 + cell_len(page.plain(name))
            yield Line(line.append("".join(axis[used:]), QUIET))
