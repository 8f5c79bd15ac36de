"""One key at a time, from a terminal."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable

SEQUENCE = 0.05
"""So many seconds after an ESC, the rest of an arrow key has come."""


def key(prompt: Callable[[], None]) -> str:
    """The next key that is pressed, after `prompt` has asked for it; what was typed before is not lost. Empty at the end."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSADRAIN)
    try:
        prompt()
        pressed = os.read(fd, 1)
        while pressed[:1] == b"\x1b" and len(pressed) < 8 and select.select([fd], [], [], SEQUENCE)[0]:
            pressed += os.read(fd, 1)
        return pressed.decode(errors="replace")
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
