"""What commands show: documents on the terminal, through the pager where they are long, in files, or their facts as JSON."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import no_pager_option, option, signs_are_wide, tell
from llmtrace.cli.options import FileName, ascii_option, json_option
from llmtrace.errors import LlmtraceError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _, listed
from llmtrace.text import as_size, cited, inert

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import ConsoleRenderable

    from llmtrace.views.document import Document

NARROWEST, WIDEST = 20, 1000
ROWS = 12
"""In plain sentences so many rows of a table are read at most, unless all are asked for."""
TRACE = ".trace"


@frozen
class Look:
    """How a reader wants to see a document: where, how wide, in which signs, as a whole or page by page."""

    file: str | None = None
    """A file of one of the media, instead of the screen."""
    trace: str | None = None
    """A file for the run itself, beside what is shown."""
    width: int | None = None
    paged: bool = False
    only_ascii: bool = False
    as_json: bool = False
    every: bool | None = None
    """Whether all was asked for; None where a command shows all anyway."""


class ShownFile(FileName):
    """The name of a file for what is shown, whose ending says how; or, where there is one, for the run."""

    def __init__(self, own: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.own = own

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name, or a failure that lists all endings."""
        name = super().convert(value, param, ctx)
        ending = ending_of(name)
        if ending not in self.own:
            from llmtrace.render import endings

            if ending not in endings():
                text = _("{name} has none of the endings that can be written: {endings}")
                known = listed(sorted([*self.own, *endings()]))
                self.fail(text.format(name=cited(value), endings=known), param, ctx)
        return name


def ending_of(name: str) -> str:
    """The ending of a file's name, in small letters."""
    return os.path.splitext(name)[1].lower()


SHOWN = N_("Write what is shown to FILE: .svg, .html, .md, .txt, .json, .tex.")
WITH_HEATMAPS = N_("Write what is shown to FILE: .svg, .html, .md, .txt, .json, .tex, .png (heatmaps).")
OWN = {"no_pager": no_pager_option, "only_ascii": ascii_option, "as_json": json_option}


def shown_options(
    traced: str = "", own: tuple[str, ...] = tuple(OWN), more: tuple[str, ...] = (), heatmaps: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`-o`, `--width` and those of `own`: `--no-pager`, `--ascii` and `--json`. The command gets all of them as one `look`.

    traced: what is said of `-o`, for commands whose run can be written to FILE.trace. more: other endings of the command's own.
    heatmaps: whether there are some in what is shown.
    """

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        def looked(*args: Any, **given: Any) -> Any:
            output, as_json = given.pop("output"), given.pop("as_json", False)
            is_trace = output is not None and bool(traced) and ending_of(output) == TRACE
            file = None if is_trace else output
            if file is not None and as_json:
                raise click.UsageError(_("give --json or a file for what is shown, not both; FILE.json is JSON"))
            look = Look(
                file,
                output if is_trace else None,
                given.pop("width"),
                not given.pop("no_pager", True),
                given.pop("only_ascii", False),
                as_json,
                given.get("every"),
            )
            return function(*args, look=look, **given)

        command: Callable[..., Any] = wraps(function)(looked)
        help = traced or (WITH_HEATMAPS if heatmaps else SHOWN)
        kind = ShownFile((*more, TRACE) if traced else more)
        for name in reversed(own):
            command = OWN[name](command)
        width = click.IntRange(NARROWEST, WIDEST)
        command = option("--width", type=width, metavar="N", help=N_("Show it N columns wide."))(command)
        return option("-o", "--output", type=kind, metavar="FILE", help=help)(command)

    return add


def print_json(thing: Any) -> None:
    """Prints anything as JSON for other programs."""
    from llmtrace.render.json import dumps, to_data

    sys.stdout.write(dumps(to_data(thing)) + "\n")


def print_document(document: Document, look: Look = Look(), note: str = "") -> None:
    """Shows a document, below a note; as JSON its facts alone: the note goes to standard error."""
    if look.as_json:
        if note:
            tell(note)
        print_json(document.facts)
        return
    shown = _below(note, document)
    if look.file is not None:
        write_document(shown, look)
        return
    from llmtrace.display import plain_wanted
    from llmtrace.render.terminal.blocks import printed
    from llmtrace.render.terminal.console import output_console

    if plain_wanted():
        from llmtrace.render.plain import shortly

        with shortly(ROWS if look.every is False else None):
            output_console(look.width).print(in_signs_of_here(printed(shown), look.only_ascii))
        sys.stdout.flush()
        return
    from llmtrace.cli.pager import print_paged

    print_paged(output_console(look.width), in_signs_of_here(printed(shown), look.only_ascii), look.paged)
    sys.stdout.flush()


def in_signs_of_here(drawn: ConsoleRenderable, only_ascii: bool = False) -> ConsoleRenderable:
    """What the terminal is given: with no signs but those of ASCII where that is asked for, or where its other signs are wide."""
    from llmtrace.render.terminal.blocks import InAscii

    return InAscii(drawn) if only_ascii or signs_are_wide() else drawn


def write_document(document: Document, look: Look) -> None:
    """Writes a document to the file that was asked for, and says so."""
    from llmtrace.render import Sheet, standalone
    from llmtrace.render.terminal.console import output_console

    assert look.file is not None
    sheet = Sheet(look.width or output_console().width, look.only_ascii)
    write_file(look.file, standalone(document, ending_of(look.file), sheet))


def write_file(file: str, content: bytes) -> None:
    """Writes a file whole or not at all, and says so."""
    from llmtrace.storage import write_whole

    write_whole(Path(file), [content], LlmtraceError)
    say_written(file)


def say_written(file: str, err: bool = False) -> None:
    """Says that a file is there, and how large it is."""
    text = _("written: {file} ({size})", file=file, size=as_size(os.path.getsize(file)))
    click.echo(inert(text), err=err)


def say_checksum(trace: Any, err: bool = False) -> None:
    """One line for all the numbers of a run, as the page says it."""
    from llmtrace.trace.checksum import checksum

    click.echo(_("checksum of all its numbers: {sum}", sum=checksum(trace)), err=err)


def _below(note: str, document: Document) -> Document:
    """The document with what is to be said first."""
    from llmtrace.views.document import Space, paragraph, quiet

    return replace(document, blocks=(paragraph(quiet(note)), Space(), *document.blocks)) if note else document
