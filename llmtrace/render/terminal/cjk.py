"""Lines of text with wide characters: Chinese has no spaces to break at, and rules about what may begin a line."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.containers import Lines
from rich.text import Text

SPACE = "\ue000"
"""Stands for a space at which no line is broken. No text has it: it is not printable, so `inert` writes it out."""
HELD = "\u3000"
"""Stands for a wide character beside which no line is broken: as wide as that."""
NEVER_FIRST = frozenset(SPACE + HELD + "，。、；：？！）」』】》〉”’…％·,.;:?!)]}%'\"")
"""What no line begins with."""
NEVER_LAST = frozenset(SPACE + HELD + "（「『【《〈“‘([{'\"")
"""What no line ends with."""

JOINTS = frozenset("._/=-")
"""Behind what long names are broken."""
NUMERIC = frozenset("0123456789.,−")
"""What numbers are made of."""


def has_wide(text: str) -> bool:
    """Whether a text has characters that take two columns."""
    return not text.isascii() and any(cell_len(character) == 2 for character in text)


class Wide(Text):
    """A text that wraps so where Rich wraps it."""

    @classmethod
    def of(cls, text: Text) -> Text:
        """The same text; itself where it has no wide characters."""
        return cls(text.plain, text.style, spans=list(text.spans)) if has_wide(text.plain) else text

    def wrap(self, console: Console, width: int, **options: Any) -> Lines:
        """Its lines, at most `width` columns wide."""
        lines = self.split(allow_blank=True)
        return Lines(line[start:end] for line in lines for start, end in wrapped(line.plain, width, width))


def wrapped(text: str, first: int, rest: int) -> list[tuple[int, int]]:
    """Where the lines of a text begin and end: the first at most `first` columns wide, the others `rest`."""
    lines: list[tuple[int, int]] = []
    start, used, room = 0, 0, first
    narrow = text.isascii() and text.isprintable()  # one column each, and breaks behind spaces alone
    for n, character in enumerate(text):
        used += 1 if narrow else cell_len(character)
        while used > room and character != " " and n > start:  # what is left may be too long for the next line, too
            breaks = (k for k in range(n, start, -1) if (text[k - 1] == " " if narrow else _may_break(text, k)))
            end = next(breaks, 0) or _fold(text, start, n, room)
            lines.append((start, end))
            start = end
            while start < n and text[start] == " ":
                start += 1
            used, room = cell_len(text[start : n + 1]), rest
    return [*lines, (start, len(text))] if start < len(text) or not lines else lines


def _fold(text: str, start: int, n: int, room: int) -> int:
    """Where a word that is longer than a line is broken: at a joint, else where the room ends, but not within a number."""
    while n > start + 1 and cell_len(text[start:n]) > room:
        n -= 1
    joints = (end for end in range(n, (start + n) // 2, -1) if _is_joint(text, end))
    end = next(joints, n)
    while end > start and not _may_fold(text, end):
        end -= 1
    return end if end > start else n


def _is_joint(text: str, n: int) -> bool:
    """Whether a new part of a name begins at the n-th character: block.0.|attn.q|[head=2."""
    return (text[n - 1] in JOINTS or text[n] == "[") and text[n - 1].isascii() and _may_fold(text, n)


def _may_fold(text: str, n: int) -> bool:
    """Whether the n-th character may begin a line, if need be."""
    within = text[n - 1] in NUMERIC and text[n] in NUMERIC
    return not within and text[n] not in NEVER_FIRST and text[n - 1] not in NEVER_LAST


def _may_break(text: str, n: int) -> bool:
    """Whether a line may end before the n-th character."""
    before, after = text[n - 1], text[n]
    if before == " ":
        return True
    if after == " " or after in NEVER_FIRST or before in NEVER_LAST:
        return False
    return cell_len(before) == 2 or cell_len(after) == 2
