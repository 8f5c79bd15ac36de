"""`llmtrace trace`: run a prompt and show what happens, first the whole of it, then layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import keep_option, model_option, prompt_argument, read_prompt, scratch_option, traced
from llmtrace.cli.output import Look, print_document, say_checksum, say_written, shown_options
from llmtrace.i18n import N_, _

TRACED = N_("FILE.trace: also write the trace. Write what is shown instead: .svg, .html, .md, .txt, .json, .tex.")


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
@keep_option
@scratch_option
@option("--with-weights", is_flag=True, help=N_("Write the weights into FILE too, so that it needs no model."))
@shown_options(traced=TRACED)
def command(
    prompt: str | None,
    model: str | None,
    recipe: str | None,
    keep: Any,
    scratch: str | None,
    with_weights: bool,
    look: Look,
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
    if with_weights and look.trace is None:
        raise click.UsageError(_("--with-weights needs -o FILE.trace, where they are written"))
    ids, special = view.pop("ids"), view.pop("special")
    if recipe is not None:
        from llmtrace.experiments import recipes

        if prompt is None and ids is None:
            ids = recipes.read_ids(Path(recipe))
    trace = traced(read_prompt(prompt, ids, special), model, keep, scratch)
    if recipe is not None:
        trace = recipes.replayed(trace, recipes.read(Path(recipe))).after
    from llmtrace.views.guided import view as guided

    shown = guided(trace, **view)  # wrong numbers are refused before anything is written
    if look.trace is not None:
        trace.save(look.trace, with_weights)
    print_document(shown, look)
    if look.trace is not None:
        say_written(look.trace, err=look.as_json)  # with --json, the output itself is for other programs
    if recipe is not None:
        say_checksum(trace, err=look.as_json)
