"""Plain sentences: for screen readers, for Braille, and for terminals that can show nothing else.

Nothing here is aligned, drawn or coloured, and no line depends on another one's columns: every row of a table and every term
of a sum is a sentence with the names of its numbers, and signs that readers pass over are words. Lines are not broken.
"""

from __future__ import annotations

from llmtrace.render.plain.blocks import lines
from llmtrace.views.document import Document

MIME = "text/plain"


def render(document: Document) -> str:
    """A document as lines of text."""
    return "".join(f"{line}\n" for line in lines(document.blocks))
