"""What commands print: documents on the terminal, through the pager where they are long, or their facts as JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from llmtrace.views.document import Document


def print_json(thing: Any) -> None:
    """Prints anything as JSON for other programs."""
    from llmtrace.render.json import dumps, to_data

    sys.stdout.write(dumps(to_data(thing)) + "\n")


def print_document(
    document: Document, *, as_json: bool = False, note: str = "", only_ascii: bool = False, paged: bool = False
) -> None:
    """Prints a document, below a note; as JSON its facts alone: the note goes to standard error."""
    from llmtrace.text import inert

    if as_json:
        if note:
            click.echo(inert(note), err=True)
        print_json(document.facts)
        return
    from llmtrace.display import plain_wanted
    from llmtrace.render import plain

    if plain_wanted():
        from llmtrace.encodings import in_encoding

        text = f"{inert(note)}\n\n" * bool(note) + plain.render(document)
        sys.stdout.write(in_encoding(text, sys.stdout.encoding or "utf-8", only_ascii))
        sys.stdout.flush()
        return
    from llmtrace.cli.pager import print_paged
    from llmtrace.render.terminal.blocks import InAscii, Printed
    from llmtrace.render.terminal.console import output_console
    from llmtrace.views.document import Space, paragraph, quiet

    above = (paragraph(quiet(note)), Space()) if note else ()
    shown = Printed((*above, *document.blocks))
    console = output_console()
    print_paged(console, InAscii(shown) if only_ascii else shown, paged)
    sys.stdout.flush()
