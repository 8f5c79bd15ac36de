"""The terminal: everything that knows how wide it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmtrace.render import Sheet

if TYPE_CHECKING:
    from llmtrace.views.document import Document

MIME = "text/plain"
ENDING = ".txt"
WIDTH = 100


def render(document: Document, width: int = WIDTH, only_ascii: bool = False) -> str:
    """A document as a terminal without colours shows it."""
    from llmtrace.render.terminal.drawn import sent

    return sent(document, Sheet(width, only_ascii), None).rstrip("\n")


def standalone(document: Document, sheet: Sheet) -> bytes:
    """What the screen shows, without its colours."""
    return f"{render(document, sheet.width, sheet.only_ascii)}\n".encode()
