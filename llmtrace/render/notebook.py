"""What notebooks show: the document of a thing as text, and as HTML that folds and links."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from llmtrace.render import document_of, html, terminal
from llmtrace.render.notebook_page import framed
from llmtrace.views.document import Document

MEDIA: dict[str, Callable[[Document], str]] = {
    "text/plain": terminal.render,
    "text/html": partial(html.render, folded=True),
}


def mimebundle(
    thing: Any, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> dict[str, str]:
    """A thing that has a document, as text and as HTML, a run with its page: what IPython's `_repr_mimebundle_` returns."""
    document = document_of(thing)
    bundle = {
        kind: render(document)
        for kind, render in MEDIA.items()
        if (include is None or kind in include) and (exclude is None or kind not in exclude)
    }
    if "text/html" in bundle:
        bundle["text/html"] += framed(thing)
    return bundle
