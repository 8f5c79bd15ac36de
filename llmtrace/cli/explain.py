"""`llmtrace explain`: the multiplications and additions behind one number."""

from __future__ import annotations

import sys

import click

from llmtrace.cli.command import new_command, no_pager_option, option
from llmtrace.cli.completion import steps
from llmtrace.cli.options import ascii_option, json_option, model_option, opened, print_json, trace_option
from llmtrace.errors import AddressError
from llmtrace.i18n import N_, _


@new_command("explain")
@click.argument("address", shell_complete=steps)
@option("--prompt", metavar="TEXT", help=N_("The text to run, - for standard input. Default: what was traced last."))
@trace_option
@model_option
@option(
    "--depth", type=click.IntRange(min=1), default=1, metavar="N", help=N_("How many steps to go back. Default: 1.")
)
@option("--all", "every", is_flag=True, help=N_("Show every term of every sum."))
@option("--exact", is_flag=True, help=N_("Print every number at full precision, to be read and added again."))
@no_pager_option
@ascii_option
@json_option
def command(
    address: str, prompt: str | None, file: str | None, model: str | None, depth: int, as_json: bool, **look: bool
) -> None:
    """Show how the number at ADDRESS was computed, from its inputs and weights, with every rounding as it was.

    ADDRESS is a step's name and a place in it, by number, by axis, or by token: llmtrace trace lists the names.

    In the --trace of a training step, d. and a name is a gradient, new. and a weight's name the weight after the step.

    \b
    Examples:
      llmtrace explain "block.0.attn.scores[head=2, query=4, key=1]"
      llmtrace explain 'logits[-1, " her"]' --prompt "The lamp will belong to" --depth 2
      llmtrace explain "block.1.mlp.act[position=0, feature=7]" --exact
    """  # noqa: D301 - \b keeps click from filling the lines
    trace, said = opened(file, prompt, model)
    try:
        explanation = trace.explain(address, depth=depth)
    except AddressError as error:
        if said and address.partition("[")[0].strip() in trace.names():  # which places there are depends on the prompt
            raise AddressError(_("{error}; {note}", error=error, note=said)) from None
        raise
    from rich.console import Group

    from llmtrace.cli.pager import print_paged
    from llmtrace.explain.exact_text import exact_text
    from llmtrace.render import renderable
    from llmtrace.render.notebook import InAscii
    from llmtrace.render.terminal.console import output_console
    from llmtrace.render.terminal.layout import QUIET, Page
    from llmtrace.text import to_ascii

    console, exact = output_console(), look["exact"]
    only_ascii = look["only_ascii"] or console.options.ascii_only
    if said and (as_json or exact):
        click.echo(said, err=True)  # the output itself is for other programs
    if as_json:
        print_json(explanation.to_dict())
    elif exact:
        text = exact_text(explanation)
        console.out(to_ascii(text) if only_ascii else text, highlight=False, end="")
    else:
        shown = renderable(explanation, every=look["every"])
        if said:
            shown = Group(Page(console.width, only_ascii).line((said, QUIET)), "", shown)
        print_paged(console, InAscii(shown) if only_ascii else shown, not look["no_pager"])
    sys.stdout.flush()
