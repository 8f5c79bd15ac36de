"""`llmtrace page`: one HTML file in which anybody can look into a run, and run the model on."""

from __future__ import annotations

from typing import Any

import click

from llmtrace.cli.command import new_command, note, option
from llmtrace.cli.options import FileName, begun, load, model_option, prompt_argument, read_prompt, trace_option
from llmtrace.cli.output import ending_of, say_checksum, write_file
from llmtrace.i18n import N_, _
from llmtrace.text import cited

ENDINGS = (".html", ".htm")


class PageFile(FileName):
    """The name of a file of HTML."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name, or a failure where it ends otherwise, so that no browser would open it."""
        name = super().convert(value, param, ctx)
        if ending_of(name) not in ENDINGS:
            self.fail(_("{name} must end in .html", name=cited(value)), param, ctx)
        return name


@new_command("page")
@prompt_argument
@model_option
@trace_option
@option("--layers", metavar='"N N …"', help=N_("Only blocks N of the run, without the model; for large models."))
@option(
    "--keep",
    multiple=True,
    metavar="NAME",
    help=N_("Only the tensor NAME and what made it; * stands for anything. Can be given again."),
)
@option("-o", "--output", type=PageFile(), required=True, metavar="FILE", help=N_("The HTML file to write."))
def command(
    prompt: str | None,
    ids: list[int] | None,
    special: bool,
    model: str | None,
    file: str | None,
    layers: str | None,
    keep: tuple[str, ...],
    output: str,
) -> None:
    """Write one HTML file that shows the run of PROMPT, explains each of its numbers, and runs the model on other sentences.

    The file holds the model, or with --layers and --keep parts of the run alone. It opens in any browser of 2023 or later,
    without a network, and asks for nothing. PROMPT is any text; - reads it from standard input.

    \b
    Examples:
      llmtrace page "The king had a child, a girl." -o king.html
      llmtrace page "The king had a child, a girl." --layers 2 --keep logits -o king.html
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.explain.not_finite import warning
    from llmtrace.loading import open_trace
    from llmtrace.models.language_model import as_language_model
    from llmtrace.render.page_file import page
    from llmtrace.render.page_parts import page_of_parts

    if file is not None and (prompt is not None or ids is not None):
        raise click.UsageError(_("give a trace file or what to run, not both"))
    if file is not None:
        trace, tokenizer = open_trace(file, model), None
    else:
        reader = as_language_model(load(model))
        trace, tokenizer = reader.trace(begun(reader, read_prompt(prompt, ids, special))), reader.tokenizer
    parts = layers is not None or keep
    text = page_of_parts(trace, keep, numbers(layers or "")) if parts else page(trace, tokenizer)
    write_file(output, text.encode())
    say_checksum(trace)
    if found := warning(trace):
        note(found)


def numbers(text: str) -> list[int]:
    """The numbers of blocks, such as 0 2 5."""
    parts = text.replace(",", " ").split()
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise click.UsageError(_("--layers takes numbers of blocks, such as 0 2 5, not {text}", text=repr(text)))
    return [int(part) for part in parts]
