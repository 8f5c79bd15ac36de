"""`llmtrace fetch`: a model from the hub, into the hub's cache on this computer."""

from __future__ import annotations

import os
import shlex
import sys

import click

from llmtrace.cli.command import argument, new_command
from llmtrace.i18n import _
from llmtrace.text import as_size


@new_command("fetch")
@argument("name")
def command(name: str) -> None:
    """Fetch the model NAME from Hugging Face's hub, so that --model NAME finds it.

    Its weights, sizes and tokenizer come into the hub's own cache, where other programs find them, too; what is there
    already is not fetched again. A model that llmtrace can't compute is refused first. No other command uses a network.

    \b
    Examples:
      llmtrace fetch gpt2
      llmtrace fetch HuggingFaceTB/SmolLM2-135M
      llmtrace trace --model gpt2 "The capital of France is"
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.loading import named
    from llmtrace.text import inert
    from llmtrace.weights.fetching import fetch, look_up
    from llmtrace.weights.hub import cache

    if name in named():
        click.echo(_("{name} needs no hub: --model {name} finds it", name=name))
        return
    offer = look_up(name)
    text = _("{name}: {count} files with {size}, into {folder}")
    click.echo(inert(text.format(name=name, count=len(offer.files), size=as_size(offer.size), folder=cache())))
    sys.stdout.flush()  # the library shows on standard error how far it is
    folder = fetch(offer)
    here = os.path.exists(name)  # a file or folder of that name comes first
    known = shlex.quote(str(folder) if here else name)
    click.echo(inert(_("It is there: {command}", command=f'llmtrace trace --model {known} "…"')))
