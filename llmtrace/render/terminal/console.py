"""The console that commands print on."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from llmtrace.display import plain_wanted


def output_console(width: int | None = None) -> Console:
    """Rich's console on standard output, so many columns wide, or as the terminal; elsewhere 80 (COLUMNS says otherwise).

    Where plain sentences are wanted it draws, moves and colours nothing.
    """
    columns = os.environ.get("COLUMNS", "")
    if width is None:
        width = None if sys.stdout.isatty() else max(20, int(columns)) if columns.isdecimal() else 80
    if plain_wanted():
        return Console(width=width, emoji=False, markup=False, highlight=False, force_terminal=False, no_color=True)
    return Console(width=width, emoji=False, markup=False, highlight=False)
