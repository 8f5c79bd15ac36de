"""The console that commands print on."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from llmtrace.display import plain_wanted

UNBROKEN = 1 << 20
"""So wide that no line is broken: whoever reads plain sentences from a pipe breaks them for the screen there is."""


def output_console(width: int | None = None) -> Console:
    """Rich's console on standard output, so many columns wide, or as the terminal; elsewhere 80 (COLUMNS says otherwise).

    Where plain sentences are wanted it draws, moves and colours nothing, and breaks no line but those of a terminal.
    """
    columns = os.environ.get("COLUMNS", "")
    if width is None and not plain_wanted():
        width = None if sys.stdout.isatty() else max(20, int(columns)) if columns.isdecimal() else 80
    if plain_wanted():
        if width is None and not sys.stdout.isatty():
            width = UNBROKEN
        return Console(width=width, emoji=False, markup=False, highlight=False, force_terminal=False, no_color=True)
    return Console(width=width, emoji=False, markup=False, highlight=False)
