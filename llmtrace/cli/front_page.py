"""The page of `llmtrace` alone: what it is, and all commands in a line each, on one screen of 24 lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from llmtrace.cli.command import filled
from llmtrace.i18n import N_, _

MORE = N_("More about one: llmtrace COMMAND --help. Language: --lang LANG. --version.")


def write(formatter: Any, about: str, commands: Mapping[str, str]) -> None:
    """Writes the page; `about` is the help of the group: what it is, and examples."""
    rows = Table.grid(padding=(0, 2), expand=False)
    rows.add_column(no_wrap=True, style=formatter.config.style_command)
    rows.add_column()
    for name, text in commands.items():
        rows.add_row(f"  {name}", filled(Text(_(text))))
    what, examples = about.split("\n\n")
    shown = Text("\n".join(examples.split("\n")[2:]), "dim")
    formatter.write(filled(Text(what)), "", rows, "", shown, filled(Text(_(MORE))), sep="\n")
