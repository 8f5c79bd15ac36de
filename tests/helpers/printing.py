"""What media make of things."""

import io

from rich.console import Console

from llmtrace.display import on_command_line
from llmtrace.render import document_of, renderable, terminal
from llmtrace.render.json import to_data


def drawn(view, width=80, **options):
    """What Rich prints of what it can print, such as a page of a lesson."""
    console = Console(width=width, emoji=False, markup=False, highlight=False, **{"color_system": None, **options})
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def printed(thing, width=80, encoding="utf-8", **options):
    """What a console of that width and encoding prints, without colours, with the hints of the command line."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", newline="\n")
    console = Console(file=stream, width=width, emoji=False, markup=False, highlight=False, force_terminal=False)
    with on_command_line():
        console.print(renderable(thing, **options))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def as_text(thing, width=100, only_ascii=False):
    """What a terminal of that width shows, without colours."""
    return terminal.render(document_of(thing), width, only_ascii)


def facts(thing):
    """What `--json` tells of it."""
    return to_data(document_of(thing).facts)
