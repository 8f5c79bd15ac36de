"""`llmtrace show`: look at a trace, at one of its steps, at attention, at a neuron, at the residual stream."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from llmtrace.cli.command import Command, Option, argument, new_command, option
from llmtrace.cli.completion import files_and_steps, steps
from llmtrace.cli.options import (
    model_option,
    opened,
    prompt_options,
    said_of_what,
    trace_option,
)
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.i18n import N_, _, listed
from llmtrace.text import cited


class Show(Command):
    """The command with what views add to it, known when it is used: their own names, and the numbers they can be asked for."""

    @property
    def help(self) -> str | None:
        """With the names of the views."""
        from llmtrace.views.catalog import names

        text = super().help
        return text and text.replace("{views}", listed(names()))

    @help.setter
    def help(self, text: str | None) -> None:
        Command.help.fset(self, text)  # type: ignore[attr-defined]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The options of the views stand before `--all`."""
        from llmtrace.views.catalog import options

        made = [
            Option(
                [f"--{each.name}"],
                type=int if each.least is None else click.IntRange(min=each.least),
                metavar="N",
                help=each.help,
            )
            for each in options()
        ]
        params = super().get_params(ctx)
        place = next(n for n, param in enumerate(params) if param.name == "every")
        return [*params[:place], *made, *params[place:]]


@new_command("show", Show)
@argument("first", required=False, metavar="[FILE]", shell_complete=files_and_steps)
@argument("second", required=False, metavar="[NAME]", shell_complete=steps)
@prompt_options
@trace_option
@model_option
@option("--all", "every", is_flag=True, help=N_("Show every block, and more rows of a long text."))
@option("--graph", is_flag=True, help=N_("Draw all steps as a graph, for -o FILE.svg or FILE.dot."))
@shown_options(heatmaps=True)
def command(first: str | None, second: str | None, look: Look, **options: Any) -> None:
    """Look at a trace: all its steps, or what NAME says.

    FILE is a trace file; without one, the prompt is run. NAME is a step, such as logits (the table of the next
    token), or one of the other views: {views}. Without NAME, all steps are listed.

    \b
    Examples:
      llmtrace show --prompt "The king had a child, a girl."
      llmtrace show block.0.attn.pattern --prompt "The king had a child, a girl." --head 1
      llmtrace show block.0.mlp.up --prompt "The king had a child, a girl." --neuron 17
      llmtrace show residual --prompt "The king had a child, a girl."
      llmtrace show logits --prompt "The king had a child, a girl." --position 2
      llmtrace show --prompt "The king had a child, a girl." --graph -o king.svg
    """  # noqa: D301 - \b keeps click from filling the lines
    file, name = file_and_name(first, second, options["file"])
    trace, note = opened(file, options["prompt"], options["ids"], options["model"], options["special"])
    from llmtrace.views import catalog, graph

    asked = {option.name: options[option.name] for option in catalog.options()}
    if options["graph"] and (name is not None or any(value is not None for value in asked.values())):
        raise click.UsageError(_("--graph shows the whole run: give no NAME and no option of a view with it"))
    with said_of_what(note):
        document = graph.view(trace) if options["graph"] else catalog.look(trace, name, every=options["every"], **asked)
    print_document(document, look, note)


def file_and_name(first: str | None, second: str | None, file: str | None = None) -> tuple[str | None, str | None]:
    """Which of the arguments is the file, unless it was given as an option, and which the name."""
    if file is not None:
        if second is not None or (first is not None and is_file(first)):
            raise click.UsageError(_("give one trace file: as FILE or with --trace, not both"))
        return file, first
    if second is None:
        return (first, None) if first is not None and is_file(first) else (None, first)
    if first is not None and not is_file(first):
        raise click.UsageError(_("{file} is not a trace file; give FILE and then NAME", file=cited(first)))
    return first, second


def is_file(argument: str) -> bool:
    """Whether an argument means a file: it is one, it ends in .trace, or it has a folder in it."""
    separators = [os.sep, *([os.altsep] if os.altsep else [])]
    try:
        exists = Path(argument).is_file()
    except (OSError, ValueError):  # a name that no file can have
        exists = False
    return exists or argument.endswith(".trace") or any(separator in argument for separator in separators)
