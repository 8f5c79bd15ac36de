"""An animation on a terminal: step by step, back, and by itself until it is paused."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console
from rich.live import Live

from llmtrace.cli.keys import BACK, ON, QUIT, key, unbuffered
from llmtrace.i18n import _
from llmtrace.render.terminal.blocks import InAscii, Printed
from llmtrace.views.document import Document, Space, paragraph, quiet

PACE = 1.0
"""Seconds from a step to the next one."""
PLAY, AGAIN, TYPE = {"p", "P"}, {"r", "R"}, {"t", "T"}


class Frames(Protocol):
    """What can be played."""

    def __len__(self) -> int:
        """The number of the last frame."""

    def frame(self, done: int) -> Document:
        """One of the frames 0 … len."""


def play(console: Console, frames: Frames, typing: bool, only_ascii: bool = False) -> str:
    """Plays frames from the first on, until a key of QUIT is pressed, or with `typing` one of TYPE; returns that key."""
    at, running = 0, True
    with unbuffered(stops=False), Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            running = running and at < len(frames)
            below = (Space(), paragraph(quiet(keys(running, typing))))
            shown = Printed((*frames.frame(at).blocks, *below))
            live.update(InAscii(shown) if only_ascii else shown, refresh=True)
            pressed = key(lambda: None, PACE if running else None)
            if pressed is None or pressed in ON:
                at = min(len(frames), at + 1)
            elif pressed in BACK:
                at = max(0, at - 1)
            elif pressed in AGAIN:
                at = 0
            elif pressed in QUIT or (typing and pressed in TYPE):
                return pressed
            running = pressed is None or pressed in AGAIN or (pressed in PLAY and not running)


def keys(running: bool, typing: bool) -> str:
    """What can be pressed."""
    play = _("p: pause") if running else _("p: play")
    more = [_("t: type matrices")] if typing else []
    return "   ".join([_("→ or space: step"), _("←: back"), play, _("r: again"), *more, _("q: leave")])
