"""`llmtrace trace`: run a prompt and show what happens, first the whole of it, then layer by layer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from llmtrace.cli.command import new_command, no_pager_option, option
from llmtrace.cli.options import FileName, ascii_option, json_option, model_option, prompt_argument, read_prompt, traced
from llmtrace.cli.output import print_document
from llmtrace.i18n import N_, _


@new_command("trace")
@prompt_argument
@model_option
@option("--layer", type=click.IntRange(min=0), metavar="N", help=N_("Show only block N, in detail."))
@option("--head", type=click.IntRange(min=0), metavar="N", help=N_("Show only head N of that block: needs --layer."))
@option(
    "--position",
    type=int,
    metavar="N",
    help=N_("Show the numbers of the token at place N, from 0. Default: -1, the last."),
)
@option("--all", "every", is_flag=True, help=N_("Show every block in detail, with an example for every step."))
@option("--recipe", metavar="FILE", help=N_("First make the edits of a recipe, which what-if --recipe has written."))
@option("-o", "--output", type=FileName(), metavar="FILE", help=N_("Also write the trace to FILE."))
@option("--with-weights", is_flag=True, help=N_("Write the weights into FILE too, so that it needs no model."))
@no_pager_option
@ascii_option
@json_option
def command(
    prompt: str | None,
    model: str | None,
    recipe: str | None,
    output: str | None,
    with_weights: bool,
    as_json: bool,
    **view: Any,
) -> None:
    """Run PROMPT through a model and show what happens: first the whole of it on one screen, then layer by layer.

    PROMPT is any text; - reads it from standard input. If it begins with a dash, put -- before it.

    \b
    Examples:
      llmtrace trace "The king had a child, a girl."
      llmtrace trace "The king had a child, a girl." --layer 1
      llmtrace trace "The king had a child, a girl." --layer 1 --head 2 --position 3
      llmtrace trace "The king had a child, a girl." -o king.trace
      echo "The king had a child, a girl." | llmtrace trace - --json
    """  # noqa: D301 - \b keeps click from filling the lines
    if with_weights and output is None:
        raise click.UsageError(_("--with-weights needs -o FILE, where they are written"))
    trace = traced(read_prompt(prompt, view.pop("ids"), view.pop("special")), model)
    if recipe is not None:
        from llmtrace.experiments import recipes

        trace = recipes.replayed(trace, recipes.read(Path(recipe))).after
    from llmtrace.text import inert
    from llmtrace.views.guided import view as guided

    paged, only_ascii = not view.pop("no_pager"), view.pop("only_ascii")
    shown = guided(trace, **view)  # wrong numbers are refused before anything is written
    if output is not None:
        trace.save(output, with_weights)
    print_document(shown, as_json=as_json, only_ascii=only_ascii, paged=paged)
    if output is not None:
        said = _("written: {file} ({size})", file=output, size=human_size(os.path.getsize(output)))
        click.echo(inert(said), err=as_json)  # with --json, the output itself is for other programs


def human_size(size: int) -> str:
    """Such as 95 kB."""
    number, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while number >= 999.5 and len(units) > 1:
        number, units = number / 1000, units[1:]
    return f"{number:.{1 if number < 9.95 and units[0] != 'B' else 0}f} {units[0]}"
