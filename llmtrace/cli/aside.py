"""What is said beside the output: notes and errors, on standard error, on a terminal in lines as wide as that."""

from __future__ import annotations

import sys

import click

from llmtrace.i18n import _
from llmtrace.text import inert


def tell(text: str) -> None:
    """Says one line; where it is read by a program, it stays one."""
    text = inert(text)
    if sys.stderr.isatty():
        from rich.console import Console

        from llmtrace.render.terminal.cjk import wrapped

        width = Console(stderr=True).width
        text = "\n".join(text[start:end].rstrip() for start, end in wrapped(text, width, width))
    click.echo(text, err=True)


def note(text: str) -> None:
    """Says something that a reader should know."""
    tell(_("Note: {text}", text=text))
