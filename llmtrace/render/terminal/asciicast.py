"""Animations as asciicast files, version 2: lines of JSON with what a terminal was sent, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence

from llmtrace.render import Sheet
from llmtrace.render.terminal.drawn import sent
from llmtrace.views.document import Document

CLEAR = "\x1b[H\x1b[2J"
"""The cursor at the top left of an empty screen."""


def asciicast(frames: Sequence[Document], sheet: Sheet, pace: float) -> bytes:
    """Frames, `pace` seconds from each to the next. The same on every machine: the file says no date."""
    texts = [sent(each, sheet, "256") for each in frames]
    height = max((text.count("\n") for text in texts), default=0) + 1
    header = {"version": 2, "width": sheet.width, "height": height, "title": "llmtrace"}
    events = [[round(n * pace, 3), "o", CLEAR + text.replace("\n", "\r\n")] for n, text in enumerate(texts)]
    return "".join(f"{json.dumps(line)}\n" for line in [header, *events]).encode("ascii")
