"""`llmtrace surprise`: how surprised a model is by a text, token by token, and its perplexity."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import IS_TRACE, decoded, load, marked, model_option, no_text, prompt_argument
from llmtrace.cli.options import read_prompt as read_given
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.cli.progress import telling
from llmtrace.i18n import N_

TRACED = N_(
    "FILE.trace: write the trace of the run behind that token. Write what is shown instead: .svg, .html, .md, .txt, .json, .tex."
)


@new_command("surprise")
@prompt_argument
@model_option
@option(
    "--stride",
    type=click.IntRange(min=1),
    metavar="N",
    help=N_(
        "Of a text longer than the model reads at once, how many tokens each window judges anew. Default: half a window."
    ),
)
@option(
    "--beginning",
    is_flag=True,
    help=N_("Put the model's beginning-of-text token before the text, so that its first token is judged as well."),
)
@option(
    "--position",
    type=int,
    metavar="N",
    help=N_("Show the work behind the token at place N, from 0. Default: the one that surprises most."),
)
@option("--all", "every", is_flag=True, help=N_("List every token and every term."))
@shown_options(traced=TRACED)
def command(
    prompt: str | None, model: str | None, stride: int | None, beginning: bool, look: Look, **options: Any
) -> None:
    """Say how surprised a model is by PROMPT: the probability and the loss of each token, their sum, mean and perplexity.

    PROMPT is any text, or the name of a file with one; - reads it from standard input.

    \b
    Examples:
      llmtrace surprise "The king had a child, a girl."
      llmtrace surprise "The king had a child, a girl." --position 3
      llmtrace surprise README.md --stride 32
      echo "The king had a child, a girl." | llmtrace surprise - --json
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.models import as_language_model
    from llmtrace.views.surprise import view

    given = read_prompt(prompt, options["ids"], options["special"])
    reader = as_language_model(load(model))
    with telling() as progress:
        found = reader.surprise(given, stride, beginning=beginning, progress=progress)
    document = view(found, every=options["every"], position=options["position"])
    if look.trace is not None:
        place = options["position"]
        found.trace(1 + int(found.losses.argmax()) if place is None else place).save(look.trace)
    print_document(document, look)


def read_prompt(prompt: str | None, ids: list[int] | None, special: bool) -> str | list[int]:
    """What was given to judge: the text in a file of that name, or the text itself."""
    if prompt is None or ids is not None or not _exists(prompt):
        return read_given(prompt, ids, special)
    from llmtrace.storage.files import read_bytes
    from llmtrace.trace.container import is_trace

    if os.path.isdir(prompt):
        raise no_text(N_("{name} is a folder, not a text; {instead}"), prompt)
    if is_trace(Path(prompt)):
        raise no_text(IS_TRACE, prompt)
    return marked(decoded(read_bytes(Path(prompt)), prompt), special)


def _exists(name: str) -> bool:
    try:
        return os.path.exists(name)
    except (OSError, ValueError):  # longer than any name, or one that no file can have
        return False
