"""One key at a time, from a terminal."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ON = {"\r", "\n", " ", "\x1b[C", "\x1bOC", "\x1b[B", "\x1bOB", "\x1b[6~"}
"""What goes on: Enter, space, right, down, page down."""
BACK = {"b", "B", "\x7f", "\x08", "\x1b[D", "\x1bOD", "\x1b[A", "\x1bOA", "\x1b[5~"}
"""What goes back: b, backspace, left, up, page up."""
QUIT = {"q", "Q", "\x1b", "\x04", ""}
"""What ends: q, ESC, Ctrl-D, the end of the input."""
SEQUENCE = 0.05
"""So many seconds after an ESC, the rest of an arrow key has come."""
BREATH = 0.2
"""So many seconds at most, a Ctrl-C that comes just before we begin to wait for a key goes unseen."""


@contextmanager
def unbuffered(stops: bool = True) -> Iterator[int]:
    """Keys come one by one and are not echoed, until this is left; gives the terminal's file descriptor.

    stops: whether Ctrl-Z stops the program. A shell could not put a hidden cursor, or another screen, right.
    """
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    with terminable():
        try:
            tty.setcbreak(fd, termios.TCSADRAIN)
            if not stops:
                settings = termios.tcgetattr(fd)
                settings[6][termios.VSUSP] = bytes([os.fpathconf(fd, "PC_VDISABLE")])
                termios.tcsetattr(fd, termios.TCSADRAIN, settings)
            yield fd
        finally:
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def terminable() -> Iterator[None]:
    """A request to end (SIGTERM) ends the program as an exception does, so that the terminal is left as it was."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
