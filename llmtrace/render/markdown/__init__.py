"""Markdown, as GitHub and Pandoc read it: headings, lists, tables, code. Every text of others is escaped."""

from __future__ import annotations

from llmtrace.render import Sheet
from llmtrace.render.markdown.blocks import Markdown
from llmtrace.views.document import Document

MIME = "text/markdown"
ENDING = ".md"


def render(document: Document) -> str:
    """A document as Markdown."""
    return Markdown().text(document.blocks)


def standalone(document: Document, sheet: Sheet) -> bytes:
    """The same as a file."""
    return render(document).encode()
