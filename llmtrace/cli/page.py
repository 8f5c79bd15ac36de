"""`llmtrace page`: one HTML file in which anybody can look into a run, and run the model on."""

from __future__ import annotations

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import FileName, begun, load, model_option, prompt_argument, read_prompt
from llmtrace.cli.output import write_file
from llmtrace.i18n import N_, _


@new_command("page")
@prompt_argument
@model_option
@option("-o", "--output", type=FileName(), required=True, metavar="FILE", help=N_("The HTML file to write."))
def command(prompt: str | None, ids: list[int] | None, special: bool, model: str | None, output: str) -> None:
    """Write one HTML file that shows the run of PROMPT, explains each of its numbers, and runs the model on other sentences.

    The file holds the model. It opens in any browser of 2023 or later, without a network, and asks for nothing.
    PROMPT is any text; - reads it from standard input.

    \b
    Examples:
      llmtrace page "The king had a child, a girl." -o king.html
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.models.language_model import as_language_model
    from llmtrace.render.page_file import page
    from llmtrace.trace.checksum import checksum

    reader = as_language_model(load(model))
    trace = reader.trace(begun(reader, read_prompt(prompt, ids, special)))
    write_file(output, page(trace, reader.tokenizer).encode())
    click.echo(_("checksum of all its numbers: {sum}", sum=checksum(trace)))
