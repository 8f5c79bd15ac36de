"""What every view needs: the room there is, what the output can show, and lines that wrap with a hanging indent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from llmtrace.i18n import _
from llmtrace.render.terminal.cjk import has_wide, wrapped
from llmtrace.text import inert, to_ascii

Part = str | tuple[str, str]
"""A piece of text, or a piece with its style."""

NAME, VALUE, QUIET, HEADING, TOTAL, GOOD = "bold", "bold cyan", "dim", "bold magenta", "cyan", "green"
"""The few styles there are: standard colours, so that they suit light and dark backgrounds."""


@dataclass(frozen=True)
class Page:
    """How much to show, and with which characters."""

    width: int
    ascii: bool = False
    count: int = 6
    """How many of many are shown: terms, examples."""
    every: bool = False
    """Show all of them."""
    colour: bool = False
    """Whether backgrounds can be coloured."""

    @classmethod
    def of(cls, options: ConsoleOptions, count: int = 6, every: bool = False) -> Page:
        """The page that a console offers."""
        return cls(options.max_width, options.ascii_only, count, every)

    def plain(self, text: str) -> str:
        """One line of harmless text in the characters that the output has."""
        return to_ascii(inert(text)) if self.ascii else inert(text)

    def text(self, *parts: Part) -> Text:
        """One line of text out of pieces."""
        line = Text(overflow="fold")
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            line.append(self.plain(words), style)
        return line

    def line(self, *parts: Part, indent: int = 0, hang: int = 2) -> Hanging:
        """A paragraph that begins at column `indent` and goes on, where it does not fit, at `indent + hang`."""
        return Hanging(self.text(*parts), indent, hang)


def label(name: str) -> str:
    """`formula: `, what stands before that of which it is the name."""
    return _("{name}: ", name=name)


@dataclass(frozen=True)
class Hanging:
    """A paragraph with a hanging indent."""

    text: Text
    indent: int = 0
    hang: int = 2

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent, hang = min(self.indent, options.max_width // 3), min(self.hang, options.max_width // 3)
        width = max(1, options.max_width - indent)
        if cell_len(self.text.plain) <= width:
            yield from _segments(console, indent, self.text)
            return
        if has_wide(self.text.plain):
            for n, (start, end) in enumerate(wrapped(self.text.plain, width, max(1, width - hang))):
                yield from _segments(console, indent + hang if n else indent, self.text[start:end])
            return
        first = self.text.wrap(console, width, overflow="fold")[0]
        rest = self.text[len(first.plain) :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip(" ")) :]
        yield from _segments(console, indent, first)
        if rest.plain:
            for line in rest.wrap(console, max(1, width - hang), overflow="fold"):
                yield from _segments(console, indent + hang, line)


def _segments(console: Console, indent: int, line: Text) -> Iterator[Segment]:
    line.rstrip()
    if indent and line.plain:
        yield Segment(" " * indent)
    yield from line.render(console, end="\n")


@dataclass(frozen=True)
class Indented:
    """A view moved to the right."""

    item: ConsoleRenderable
    columns: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = min(self.columns, options.max_width // 3)
        for line in console.render_lines(self.item, options.update_width(options.max_width - columns), pad=False):
            if any(segment.text for segment in line):
                yield Segment(" " * columns)
                yield from line
            yield Segment.line()


@dataclass(frozen=True)
class Branches:
    """Some views hung below one another on the lines of a tree."""

    items: Iterable[ConsoleRenderable]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        items = list(self.items)
        indented = options.max_width >= 43  # deeper levels of a narrow page are not moved further
        room = options.update_width(options.max_width - 3) if indented else options
        for number, item in enumerate(items):
            last = number == len(items) - 1
            marks = ("└─ ", "   ") if last else ("├─ ", "│  ")
            quiet = Style.parse(QUIET)
            for i, line in enumerate(console.render_lines(item, room, pad=False)):
                mark = marks[min(i, 1)] if indented else ""
                mark = to_ascii(mark) if options.ascii_only else mark
                yield Segment(mark if any(segment.text for segment in line) else mark.rstrip(), quiet)
                yield from line
                yield Segment.line()
            if not last:
                yield Segment(
                    (to_ascii(marks[1]) if options.ascii_only else marks[1]).rstrip() if indented else "", quiet
                )
                yield Segment.line()
