"""What every block needs: the room there is, what the output can show, and lines that wrap with a hanging indent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from llmtrace.encodings import in_encoding, writable
from llmtrace.frozen import frozen
from llmtrace.render.terminal.cjk import HELD, NEVER_FIRST, SPACE, wrapped
from llmtrace.render.terminal.palette import in_colour
from llmtrace.text import inert
from llmtrace.views.document import Role

STYLES: Mapping[Role, str] = {
    "": "",
    "name": "bold",
    "number": "bold",
    "value": "bold",
    "quiet": "dim",
    "heading": "bold magenta",
    "total": "",
    "good": "bold",
    "wrong": "bold red",
    "negative": "magenta",
    "formula": "italic",
}
"""The few styles there are. Results have no colour of their own: which one can be read depends on the background."""


PLAIN_SIGNS = "plain signs, "
"""Before the name of the encoding, where signs are to be plain ones although it has others."""
DRAWN = "│├└─█…•"
"""What is drawn with."""
LEAST = 16
"""Lines are not indented further where less would be left: numbers would be broken."""
NUMBER = re.compile(r"[0-9][0-9.,]*")
QUOTED = r"""(?<!\w)'[^'\n…]*(?:…'?|'(?!\w))|"[^"\n]*"|“[^”\n]*”"""
"""What stands in quotes, also where it ends in `…` for lack of room; an apostrophe has a letter before it."""
QUOTED_IN_CHINESE = QUOTED.replace(r"\w", r"[^\W\u2e80-\uffef]")
"""The same among Chinese characters, which touch the quotes of a token. To compile it takes milliseconds."""
FIRST_CHINESE = "\u2e80"

CURLY = {"'": ("‘", "’"), '"': ("“", "”")}


@frozen
class Page:
    """How much room there is, and what the output can show."""

    width: int
    ascii: bool = False
    """Whether lines, bars and other signs are drawn with ASCII characters."""
    colour: bool = False
    """Whether backgrounds can be coloured."""
    encoding: str = "utf-8"
    plain_signs: bool = False
    """Whether that was asked for: letters stay as they are."""

    @classmethod
    def of(cls, console: Console, options: ConsoleOptions) -> Page:
        """The page that a console offers."""
        marked = options.encoding.startswith(PLAIN_SIGNS)
        encoding = options.encoding.removeprefix(PLAIN_SIGNS)
        drawn = marked or not writable(DRAWN, encoding)
        return cls(options.max_width, drawn, in_colour(console, options), encoding, marked)

    def plain(self, text: str, typed: bool = False) -> str:
        """One line of harmless text in the characters that the output has; all of it `typed` by somebody else, or in quotes."""
        return in_encoding(inert(text), self.encoding, self.plain_signs, typed)


@frozen
class Hanging:
    """A paragraph with a hanging indent."""

    text: Text
    indent: int = 0
    hang: int = 2

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = self._spared(options, self.indent, LEAST)
        if cell_len(self.text.plain) <= options.max_width - indent:
            yield from _segments(console, indent, self.text)
            return
        least = max([LEAST, *map(len, NUMBER.findall(self.text.plain))])
        indent = self._spared(options, self.indent, least)
        hang = self._spared(options, self.hang, least + indent)
        width = max(1, options.max_width - indent)
        text = bound(self.text.plain, max(1, width - hang))
        for n, (start, end) in enumerate(wrapped(text, width, max(1, width - hang))):
            yield from _segments(console, indent + hang if n else indent, self.text[start:end])

    @staticmethod
    def _spared(options: ConsoleOptions, columns: int, least: int) -> int:
        """So many columns, or fewer where a line needs `least` beside them."""
        return max(0, min(columns, options.max_width // 3, options.max_width - least))


def bound(text: str, width: int) -> str:
    """The same with SPACE for the spaces of what stands in quotes, unless that is wider than a line; of tokens, HELD as well."""

    def held(part: re.Match[str]) -> str:
        behind = text[part.end() : part.end() + 1]
        if cell_len(part[0]) + (cell_len(behind) if behind in NEVER_FIRST else 0) > width:
            return part[0]
        kept = part[0].replace(" ", SPACE)
        if kept[0] == "'":
            kept = "".join(HELD if cell_len(c) == 2 else c for c in kept)
        return _curled(kept)

    chinese = max(text, default="") >= FIRST_CHINESE
    return re.sub(QUOTED_IN_CHINESE if chinese else QUOTED, held, text)


def _curled(part: str) -> str:
    """What stands in quotes, with curly ones, which say at which of their sides a line may end."""
    if part[0] not in CURLY:
        return part
    opening, closing = CURLY[part[0]]
    return opening + part[1:-1] + (closing if part[-1] == part[0] else part[-1])


def _segments(console: Console, indent: int, line: Text) -> Iterator[Segment]:
    line.rstrip()
    if indent and line.plain:
        yield Segment(" " * indent)
    if _styled(console):
        yield from line.render(console, end="\n")
    else:
        yield Segment(f"{line.plain}\n")


def _styled(console: Console) -> bool:
    """Whether styles are seen, now or in what the console exports later."""
    return console.color_system is not None or console.record


@frozen
class Indented:
    """A view moved to the right."""

    item: ConsoleRenderable
    columns: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = min(self.columns, options.max_width // 3, max(0, options.max_width - LEAST))
        for line in console.render_lines(self.item, options.update_width(options.max_width - columns), pad=False):
            if any(segment.text for segment in line):
                yield Segment(" " * columns)
                yield from line
            yield Segment.line()


@frozen
class Branches:
    """Some views hung below one another on the lines of a tree."""

    items: Iterable[ConsoleRenderable]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        items = list(self.items)
        page = Page.of(console, options)
        indented = options.max_width >= 43  # deeper levels of a narrow page are not moved further
        room = options.update_width(options.max_width - 3) if indented else options
        for number, item in enumerate(items):
            last = number == len(items) - 1
            marks = ("└─ ", "   ") if last else ("├─ ", "│  ")
            quiet = Style.parse(STYLES["quiet"])
            for i, line in enumerate(console.render_lines(item, room, pad=False)):
                mark = marks[min(i, 1)] if indented else ""
                mark = page.plain(mark)
                yield Segment(mark if any(segment.text for segment in line) else mark.rstrip(), quiet)
                yield from line
                yield Segment.line()
            if not last:
                yield Segment(page.plain(marks[1]).rstrip() if indented else "", quiet)
                yield Segment.line()


@frozen
class Line:
    """One line that is never wrapped: what does not fit is cut off."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.truncate(options.max_width, overflow="crop")
        yield from _segments(console, 0, text)


def fit(text: str, width: int, page: Page) -> str:
    """A harmless text of at most so many columns; one that is cut ends in `…` (`~` in ASCII)."""
    whole = page.plain(text)
    if cell_len(whole) <= width:
        return whole
    return set_cell_size(whole, max(0, width - 1)).rstrip() + ("~" if page.ascii else "…")[:width]


def left(text: str, width: int) -> str:
    """The text, filled up on the right to so many columns."""
    return text + " " * (width - cell_len(text))
