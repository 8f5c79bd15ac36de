"""One key at a time, from a terminal."""

from __future__ import annotations

import math
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SEQUENCE = 0.05
"""So many seconds after an ESC, the rest of an arrow key has come."""
BREATH = 0.2
"""So many seconds at most, a Ctrl-C that comes just before we begin to wait for a key goes unseen."""


@contextmanager
def unbuffered() -> Iterator[int]:
    """Keys come one by one and are not echoed, until this is left; gives the terminal's file descriptor."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSADRAIN)
    try:
        yield fd
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def key(prompt: Callable[[], None], seconds: float | None = None) -> str | None:
    """The next key that is pressed, after `prompt` has asked for it; what was typed before is not lost. Empty at the end.

    seconds: how long to wait for it; None where none has come.
    """
    with unbuffered() as fd:
        prompt()
        if not _comes(fd, seconds):
            return None
        pressed = os.read(fd, 1)
        while pressed[:1] == b"\x1b" and len(pressed) < 8 and select.select([fd], [], [], SEQUENCE)[0]:
            pressed += os.read(fd, 1)
        return pressed.decode(errors="replace")


def _comes(fd: int, seconds: float | None) -> bool:
    """Waits for something to read; whether it has come in time."""
    end = math.inf if seconds is None else time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([fd], [], [], min(left, BREATH))[0]:
            return True
    return False
