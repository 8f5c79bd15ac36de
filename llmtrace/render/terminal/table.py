"""Columns of short texts under their titles; on a narrow page the less important ones are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.segment import Segment
from rich.text import Text

from llmtrace.render.terminal.layout import QUIET, Page, Part

GAP, NARROW_GAP, NARROW = 2, 1, 70
"""The space between columns, and that on pages narrower than NARROW."""


@dataclass(frozen=True)
class Column:
    """Some texts under a title. `rank`: of the columns that do not fit, those with the highest rank go first; 0 stays."""

    title: str
    cells: Sequence[Part | Text]
    right: bool = False
    style: str = ""
    rank: int = 0

    def texts(self, page: Page) -> list[Text]:
        """The title and the cells, harmless."""
        return [page.text((self.title, QUIET)), *(self._text(cell, page) for cell in self.cells)]

    def _text(self, cell: Part | Text, page: Page) -> Text:
        if isinstance(cell, Text):
            return cell
        return page.text((cell, self.style) if isinstance(cell, str) else cell)


@dataclass(frozen=True)
class Line:
    """One line that is never wrapped: what does not fit is cut off."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.truncate(options.max_width, overflow="crop")
        text.rstrip()
        yield from text.render(console)
        yield Segment.line()


def columns_view(page: Page, columns: Sequence[Column], indent: int = 2) -> Iterator[ConsoleRenderable]:
    """The titles, then a line for each place of the columns."""
    texts = {n: column.texts(page) for n, column in enumerate(columns)}
    widths = {n: max(text.cell_len for text in cells) for n, cells in texts.items()}
    gap = GAP if page.width >= NARROW else NARROW_GAP
    for n in dropped([column.rank for column in columns], widths, page.width - indent, gap):
        del texts[n]
    for row in range(max((len(cells) for cells in texts.values()), default=0)):
        line = Text(" " * indent)
        for n, cells in texts.items():
            space = " " * (widths[n] - cells[row].cell_len)
            line.append(space if columns[n].right else "")
            line.append_text(cells[row])
            line.append(("" if columns[n].right else space) + " " * gap)
        yield Line(line)


def dropped(ranks: Sequence[int], widths: dict[int, int], room: int, gap: int) -> list[int]:
    """Which columns go: as few as will do, by rank; one of lower rank comes back where there is room after all."""
    gone: list[int] = []
    used = sum(widths.values()) + gap * (len(widths) - 1)
    for n in sorted((n for n in widths if ranks[n]), key=lambda n: -ranks[n]):
        if used > room:
            gone.append(n)
            used -= widths[n] + gap
    for n in reversed(gone.copy()):
        if used + widths[n] + gap <= room:
            gone.remove(n)
            used += widths[n] + gap
    return gone


def fit(text: str, width: int, page: Page) -> str:
    """A harmless text of at most so many columns; one that is cut ends in `…` (`~` in ASCII)."""
    whole = page.plain(text)
    if cell_len(whole) <= width:
        return whole
    return set_cell_size(whole, max(0, width - 1)).rstrip() + ("~" if page.ascii else "…")[:width]


def left(text: str, width: int) -> str:
    """The text, filled up on the right to so many columns."""
    return text + " " * (width - cell_len(text))
