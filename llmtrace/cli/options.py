"""What several commands share: the model, the prompt, and what was traced last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import option
from llmtrace.cli.completion import models
from llmtrace.cli.state import last_traced
from llmtrace.i18n import N_, _
from llmtrace.text import cited

if TYPE_CHECKING:
    from llmtrace.models import Model
    from llmtrace.trace import Trace


class FileName(click.Path):
    """The name of a file that there may be or not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name as it is, or a failure where the system knows no such names."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:  # a NUL, or half a character
            self.fail(_("no file can have the name {name}", name=cited(value)), param, ctx)


model_option = option(
    "--model",
    metavar="MODEL",
    help=N_("A bundled model by name, or a folder with config.json and model.safetensors."),
    shell_complete=models,
)
trace_option = option(
    "--trace", "file", type=FileName(), metavar="FILE", help=N_("A trace file to look into, instead of a prompt.")
)
ascii_option = option(
    "--ascii", "only_ascii", is_flag=True, help=N_("Use only ASCII characters, and no coloured backgrounds.")
)
json_option = option("--json", "as_json", is_flag=True, help=N_("Print JSON for other programs."))


def load(model: str | None) -> Model:
    """The model that was asked for, or the one that comes with llmtrace."""
    from llmtrace.loading import DEFAULT, load

    return load(DEFAULT if model is None else model)


def opened(file: str | None, prompt: str | None, model: str | None) -> tuple[Trace, str]:
    """The trace of the file or of the prompt, and what to say about it first."""
    if file is not None:
        if prompt is not None:
            raise click.UsageError(_("give a trace file or --prompt, not both"))
        from llmtrace.loading import open_trace

        return open_trace(file, model), ""
    if prompt is not None:
        return load(model).trace(read_prompt(prompt)), ""
    prompt, last_model = last_traced()
    note = _("prompt: {prompt} (traced last)", prompt=repr(prompt))
    return load(last_model if model is None else model).trace(prompt), note


def read_prompt(prompt: str) -> str:
    """The prompt as given, or standard input for `-`, without the line break that ends it."""
    if prompt != "-":
        return prompt
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return text.removesuffix("\n").removesuffix("\r")
