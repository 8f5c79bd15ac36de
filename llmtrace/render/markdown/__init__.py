"""Markdown, as GitHub and Pandoc read it: headings, lists, tables, code. Every text of others is escaped."""

from __future__ import annotations

from llmtrace.render.markdown.blocks import text
from llmtrace.views.document import Document

MIME = "text/markdown"


def render(document: Document) -> str:
    """A document as Markdown."""
    return text(document.blocks)
