"""SVG: what the screen shows, with its colours, at a width of its own. Nothing in it asks for anything from elsewhere.
A graph is drawn itself.

Rich draws it. Of its own frame the fonts that a browser would fetch are left out; the reader's own monospaced one is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmtrace.render import Sheet
from llmtrace.render.html.graph import svg
from llmtrace.views.document import walk
from llmtrace.views.figures import Graph

if TYPE_CHECKING:
    from llmtrace.views.document import Document

MIME = "image/svg+xml"
ENDING = ".svg"
FETCHED = re.compile(r"\s*@font-face \{\{.*?\}\}", re.DOTALL)
FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that XML can't hold; controls are written out before they come here."""


def render(document: Document, sheet: Sheet | None = None) -> str:
    """A document as a picture of a terminal, the same on every machine and whatever the environment says."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    from llmtrace.render.terminal.drawn import drawn

    sheet = sheet or Sheet()
    graph = next((each for each in walk(document) if isinstance(each, Graph)), None)
    if graph is not None:
        return FORBIDDEN.sub("\ufffd", svg(graph))
    console = drawn(document, sheet, "truecolor")
    picture = console.export_svg(title="llmtrace", code_format=FETCHED.sub("", CONSOLE_SVG_FORMAT))
    return FORBIDDEN.sub("\ufffd", picture)


def standalone(document: Document, sheet: Sheet) -> bytes:
    """The same as a file."""
    return render(document, sheet).encode()
