"""The page of `llmtrace` alone: what it is, and all commands in a line each, on one screen of 24 lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from llmtrace.cli.command import placeholders
from llmtrace.cli.help import filled, in_lines
from llmtrace.i18n import N_, _

LINES = 22
"""What a screen of 24 lines has room for, beside the line that was typed and the prompt below."""
MORE = N_("More about one: llmtrace COMMAND --help. Language: --lang LANG. --version.")


def write(formatter: Any, about: str, commands: Mapping[str, str]) -> None:
    """Writes the page; `about` is the help of the group: what it is, and examples."""
    rows = Table.grid(padding=(0, 2), expand=False)
    rows.add_column(no_wrap=True, style=formatter.config.style_command)
    rows.add_column()
    for name, text in commands.items():
        rows.add_row(f"  {name}", filled(Text(_(text))))
    what, examples = about.split("\n\n")
    shown = examples.split("\n")[2:]
    room = LINES - len(commands) - 2  # what it is takes a line, and MORE one
    air = [""] if room > 0 else []
    shown = ["", *shown] if room > len(shown) + 1 else shown[: max(0, room - 1)]
    told = [Text("\n".join(shown), "dim")] if shown else []
    formatter.write(filled(Text(what)), *air, rows, *told, filled(Text(placeholders(_(MORE)))), sep="\n")


def plain(about: str, commands: Mapping[str, str]) -> str:
    """The page in plain sentences."""
    what, examples = about.split("\n\n")
    listed = [f"{name}: {_(text)}" for name, text in commands.items()]
    return "\n".join(in_lines([what, "", *listed, "", *examples.split("\n")[1:], "", placeholders(_(MORE))]))
