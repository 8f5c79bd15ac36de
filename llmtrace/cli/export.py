"""`llmtrace export`: a model in another form."""

from __future__ import annotations

import click

from llmtrace.cli.command import argument, new_command, option, placeholders
from llmtrace.cli.options import FileName, beginning, load, model_option
from llmtrace.i18n import N_, _

FORMS = ("two-files",)


@new_command("export")
@argument("form", type=click.Choice(FORMS), metavar="two-files")
@argument("folder", type=FileName(), metavar="DIR")
@model_option
@option("--prompt", metavar="TEXT", help=N_("What the program reads where it is given nothing. Default: a beginning."))
def command(form: str, folder: str, model: str | None, prompt: str | None) -> None:
    """Write a model as two files: model.safetensors, its numbers, and gpt.py, which runs it with Python and NumPy alone.

    The program has under 200 lines, to be read. It computes the same bits as llmtrace, and prints their hash. It takes the ids of
    tokens, not a text: llmtrace tokenize prints them.

    \b
    Examples:
      llmtrace export two-files her
      llmtrace export two-files paper --model tiny
    """  # noqa: D301 - \b keeps click from filling the lines
    import hashlib
    import shlex
    from pathlib import Path

    from llmtrace.models.language_model import as_language_model
    from llmtrace.text import inert
    from llmtrace.weights.two_files import write

    reader = as_language_model(load(model))
    ids = reader.ids(beginning(reader) if prompt is None else prompt).tolist()
    logits = reader.logits(ids)
    for path in write(reader, folder, ids):
        click.echo(inert(_("written: {file} ({size} bytes)", file=path, size=f"{path.stat().st_size:,}")))
    digest = hashlib.sha256(logits.astype("<f4").tobytes()).hexdigest()
    click.echo(_("SHA-256 of the logits: {digest}", digest=digest))
    program = f"python {shlex.quote(str(Path(folder) / 'gpt.py'))}"
    click.echo(inert(_("To see the same: {command}", command=program)))
    tokenize = shlex.join(["llmtrace", "tokenize", "TEXT", *([] if model is None else ["--model", model])])
    text = _("To run another text: {command}, with the ids of its tokens, which {tokenize} prints")
    click.echo(placeholders(inert(text.format(command=program, tokenize=tokenize))))
