"""What notebooks show: the same views, as text and as HTML with its colours written into it."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

from rich.console import Console, ConsoleRenderable

WIDTH = 100
_PAGE = (
    "<pre style=\"white-space:pre;overflow-x:auto;line-height:normal;font-family:Menlo,'DejaVu Sans Mono',consolas,"
    "'Courier New',monospace\">{code}</pre>\n"
)


def mimebundle(
    thing: Any, include: Collection[str] | None = None, exclude: Collection[str] | None = None
) -> dict[str, str]:
    """A view, or anything that has one, as text and as HTML: what IPython's `_repr_mimebundle_` returns."""
    from llmtrace.render import renderable

    shown = renderable(thing)
    bundle = {"text/plain": as_text(shown), "text/html": as_html(shown)}
    return {
        kind: text
        for kind, text in bundle.items()
        if (include is None or kind in include) and (exclude is None or kind not in exclude)
    }


def as_text(shown: ConsoleRenderable, width: int = WIDTH) -> str:
    """A renderable without colours."""
    console = Console(file=io.StringIO(), width=width, color_system=None, **_PLAIN)
    with console.capture() as capture:
        console.print(shown)
    return capture.get().rstrip("\n")


def as_html(shown: ConsoleRenderable, width: int = WIDTH) -> str:
    """A renderable as HTML that suits light and dark pages: text in the page's own colour where it has none."""
    console = Console(
        file=io.StringIO(),
        width=width,
        record=True,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        **_PLAIN,
    )
    console.print(shown)
    return console.export_html(inline_styles=True, code_format=_PAGE)


_PLAIN: dict[str, Any] = {
    "emoji": False,
    "markup": False,
    "highlight": False,
    "force_jupyter": False,
    "legacy_windows": False,
}
