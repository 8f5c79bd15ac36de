"""`llmtrace serve`: the page of a model or a trace of any size, in a browser on this machine."""

from __future__ import annotations

import sys

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import beginning, begun, load, model_option, prompt_argument, read_prompt, trace_option
from llmtrace.i18n import N_, _


@new_command("serve")
@prompt_argument
@model_option
@trace_option
@option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help=N_("The port. Default: any that is free.")
)
def command(
    prompt: str | None, ids: list[int] | None, special: bool, model: str | None, file: str | None, port: int
) -> None:
    """Show the page of a run in a browser on this machine: of models and traces of any size.

    The page is that of the command page. It asks this program for numbers when they are looked at, and it computes every
    run. Only who knows the address that is printed can read there, and only on this machine. Nothing is written.

    \b
    Examples:
      llmtrace serve
      llmtrace serve "The king had a child, a girl." --model storyteller
      llmtrace trace "The king had a child, a girl." -o king.trace
      llmtrace serve --trace king.trace
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.loading import open_trace
    from llmtrace.models.language_model import as_language_model
    from llmtrace.render.page_server import PageServer, serve
    from llmtrace.render.page_service import Service

    if file is not None:
        if prompt is not None or ids is not None:
            raise click.UsageError(_("give a trace file or what to run, not both"))
        service = Service(open_trace(file, model))
    else:
        reader = as_language_model(load(model))
        nothing = prompt is None and ids is None
        given = beginning(reader) if nothing else read_prompt(prompt, ids, special)
        service = Service(reader.trace(begun(reader, given)), reader)
    try:
        server = PageServer(service, port)
    except OSError as error:
        raise click.UsageError(
            _("no server can listen at port {port}: {why}", port=port, why=error.strerror)
        ) from error

    def ready() -> None:
        click.echo(_("Open {url} in a browser; Ctrl-C ends it.", url=server.url))
        sys.stdout.flush()  # who reads it through a pipe waits for it

    serve(server, ready)
    click.echo(_("The server has ended."))
