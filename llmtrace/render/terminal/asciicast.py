"""Animations as asciicast files, version 2: lines of JSON with what a terminal was sent, and when."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

from rich.console import Console

from llmtrace.render import Sheet
from llmtrace.render.terminal.blocks import InAscii, printed
from llmtrace.views.document import Document

CLEAR = "\x1b[H\x1b[2J"
"""The cursor at the top left of an empty screen."""


def asciicast(frames: Sequence[Document], sheet: Sheet, pace: float) -> bytes:
    """Frames, `pace` seconds from each to the next. The same on every machine: the file says no date."""
    drawn = [_drawn(each, sheet) for each in frames]
    height = max((text.count("\n") for text in drawn), default=0) + 1
    header = {"version": 2, "width": sheet.width, "height": height, "title": "llmtrace"}
    events = [[round(n * pace, 3), "o", CLEAR + text.replace("\n", "\r\n")] for n, text in enumerate(drawn)]
    return "".join(f"{json.dumps(line)}\n" for line in [header, *events]).encode("ascii")


def _drawn(document: Document, sheet: Sheet) -> str:
    console = Console(
        file=io.StringIO(),
        width=sheet.width,
        color_system="256",
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
    with console.capture() as capture:
        console.print(InAscii(shown) if sheet.only_ascii else shown)
    return capture.get()
