"""What a terminal would show of a document, wherever it is kept: the same on every machine, whatever the environment says."""

from __future__ import annotations

import io
from typing import Literal

from rich.console import Console

from llmtrace.render import Sheet
from llmtrace.render.terminal.blocks import InAscii, printed
from llmtrace.views.document import Document


def drawn(document: Document, sheet: Sheet, colours: Literal["256", "truecolor"] | None) -> Console:
    """A console that has shown it, and can export what it has recorded in colours."""
    console = Console(
        file=io.StringIO(),
        record=colours is not None,
        width=sheet.width,
        color_system=colours,
        force_terminal=True,
        force_jupyter=False,
        legacy_windows=False,
        no_color=False,
        emoji=False,
        markup=False,
        highlight=False,
        _environ={},
    )
    shown = printed(document)
    console.print(InAscii(shown) if sheet.only_ascii else shown)
    return console


def sent(document: Document, sheet: Sheet, colours: Literal["256", "truecolor"] | None) -> str:
    """What a terminal is sent, or with no colours shows."""
    file = drawn(document, sheet, colours).file
    assert isinstance(file, io.StringIO)
    return file.getvalue()
