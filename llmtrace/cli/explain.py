"""`llmtrace explain`: the multiplications and additions behind one number."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from llmtrace.cli.command import argument, new_command, option, tell
from llmtrace.cli.completion import steps
from llmtrace.cli.options import (
    model_option,
    opened,
    prompt_options,
    said_of_what,
    trace_option,
)
from llmtrace.cli.output import Look, ending_of, print_document, shown_options, write_file
from llmtrace.i18n import N_, _

if TYPE_CHECKING:
    from llmtrace.explain import Explanation


@new_command("explain")
@argument("address", shell_complete=steps)
@prompt_options
@trace_option
@model_option
@option(
    "--depth", type=click.IntRange(min=1), default=1, metavar="N", help=N_("How many steps to go back. Default: 1.")
)
@option("--all", "every", is_flag=True, help=N_("Show every term of every sum."))
@option("--exact", is_flag=True, help=N_("Print every number at full precision, to be read and added again."))
@shown_options()
def command(
    address: str,
    prompt: str | None,
    ids: list[int] | None,
    file: str | None,
    model: str | None,
    depth: int,
    look: Look,
    **how: bool,
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
    trace, said = opened(file, prompt, ids, model, how["special"])
    with said_of_what(said):
        explanation = trace.explain(address, depth=depth)
    if how["exact"]:
        _print_exact(explanation, said, look)
        return
    from llmtrace.views.explanation import view

    print_document(view(explanation, every=how["every"]), look, said)


def _print_exact(explanation: Explanation, note: str, look: Look) -> None:
    """Prints every number at full precision; the note goes to standard error, as the output is for other programs."""
    from llmtrace.encodings import in_encoding
    from llmtrace.explain.exact_text import exact_text
    from llmtrace.render.terminal.console import output_console

    if note:
        tell(note)
    console, text = output_console(), exact_text(explanation)
    if look.file is not None:
        if ending_of(look.file) != ".txt":
            raise click.UsageError(_("--exact prints text: FILE must end in .txt"))
        write_file(look.file, in_encoding(text, "utf-8", look.only_ascii).encode())
        return
    console.out(in_encoding(text, console.encoding, look.only_ascii), highlight=False, end="")
    sys.stdout.flush()
