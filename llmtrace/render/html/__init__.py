"""HTML: real headings, tables, lists and links. A number with an address leads to its explanation, if that is there.

A document becomes one `<article>` with its own style, so that it can stand in a notebook, a page or an e-mail. Nothing in it asks
for anything from elsewhere, and every text of others is escaped.
"""

from __future__ import annotations

from zlib import crc32

from llmtrace.i18n import language
from llmtrace.render import Sheet
from llmtrace.render.html.blocks import body
from llmtrace.render.html.style import CSS
from llmtrace.views.document import Document

MIME = "text/html"
ENDING = ".html"
MARK = "\0"
"""Stands for the prefix of all ids until the article is there; no text can hold it."""


def render(document: Document, folded: bool = False) -> str:
    """A document as an `<article>`; its links lead to places in itself only, also where several stand on one page.

    `folded`: of a long one, what stands below each heading is closed until it is opened.
    """
    inner = body(document, MARK, folded)
    inner = inner.replace(MARK, f"llmtrace-{crc32(inner.encode()):08x}-")
    return f'<article class="llmtrace" lang="{language()}">\n<style>{CSS}</style>\n{inner}</article>\n'


def standalone(document: Document, sheet: Sheet) -> bytes:
    """A page with nothing but the document."""
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n<title>llmtrace</title>'
    style = "<style>:root{color-scheme:light dark}body{font-family:sans-serif;margin:2em auto;max-width:60em}</style>"
    top = f'<!doctype html>\n<html lang="{language()}">\n<head>{head}\n{style}</head>'
    return f"{top}\n<body>\n{render(document)}</body>\n</html>\n".encode()
