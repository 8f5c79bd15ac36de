"""What notebooks show: the document of a thing as text, and as HTML that folds and links."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

from rich.console import Console, ConsoleRenderable

WIDTH = 100


def mimebundle(
    thing: Any, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> dict[str, str]:
    """A thing that has a document, as text and as HTML: what IPython's `_repr_mimebundle_` returns."""
    from llmtrace.render import document_of, html, renderable

    document = document_of(thing)
    bundle = {"text/plain": as_text(renderable(document)), "text/html": html.render(document)}
    return {
        kind: text
        for kind, text in bundle.items()
        if (include is None or kind in include) and (exclude is None or kind not in exclude)
    }


def as_text(shown: ConsoleRenderable, width: int = WIDTH) -> str:
    """A renderable without colours."""
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system=None,
        emoji=False,
        markup=False,
        highlight=False,
        force_jupyter=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(shown)
    return capture.get().rstrip("\n")
