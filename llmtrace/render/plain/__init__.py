"""Plain sentences: for screen readers, for Braille, and for terminals that can show nothing else.

Nothing here is aligned, drawn or coloured, and no line depends on another one's columns: every row of a table and every term
of a sum is a sentence with the names of its numbers, and signs that readers pass over are words. A paragraph is one line,
which whoever shows it breaks between words, if at all. Of what is long its size is said first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llmtrace.render.plain.blocks import lines
from llmtrace.render.plain.words import MOST
from llmtrace.views.document import Document

MIME = "text/plain"


def render(document: Document) -> str:
    """A document as lines of text."""
    return "".join(f"{line}\n" for line in lines(document.blocks))


@contextmanager
def shortly(most: int | None) -> Iterator[None]:
    """While this lasts, no more rows of a table or a heatmap are said, unless None, and that `--all` says all."""
    token = MOST.set(most)
    try:
        yield
    finally:
        MOST.reset(token)
