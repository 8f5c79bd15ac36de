"""`llmtrace compare`: where two runs part, to the bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmtrace.cli.command import argument, fail_check, new_command, option
from llmtrace.cli.options import Ids, begun, load, marked, model_option, special_option
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.i18n import N_, _
from llmtrace.models.language_model import as_language_model
from llmtrace.trace import Trace

if TYPE_CHECKING:
    from llmtrace.views.document import Document


@new_command("compare")
@argument("given", nargs=-1, metavar="A B")
@option(
    "--ids",
    type=Ids(),
    multiple=True,
    metavar='"N N …"',
    help=N_("The ids of the tokens instead of A, or given twice of A and B: for a model without a tokenizer."),
)
@special_option
@model_option
@option("--other-model", metavar="MODEL", help=N_("The model that runs B. Default: the one that runs A."))
@option("--all", "every", is_flag=True, help=N_("List every step that differs."))
@shown_options(heatmaps=True)
def command(
    given: tuple[str, ...],
    ids: tuple[list[int], ...],
    model: str | None,
    other_model: str | None,
    special: bool,
    every: bool,
    look: Look,
) -> None:
    """Compare two runs: the first number that differs, how far apart every step is, and which tokens come next.

    A and B are prompts, or trace files; B may also be a .npz or safetensors file with another program's activations, which
    are judged step by step: the exit code is 1 unless all steps in it could be judged, and follow. Prompts of different lengths
    are compared token by token; a text that is also the name of a file is taken for the file.

    \b
    Examples:
      llmtrace compare "The king had a child, a girl." "The king had a child, a boy."
      llmtrace trace "The king had a child, a girl." -o girl.trace
      llmtrace compare girl.trace "The king had a child, a boy." --all
      llmtrace compare "The king" "The king" --other-model storyteller
    """  # noqa: D301 - \b keeps click from filling the lines
    sides: list[str | list[int]] = [*ids, *given]
    if len(sides) != 2:
        raise click.UsageError(_("give two runs to compare, A and B; --ids stands for a prompt"))
    first, b = _run(sides[0], model, special), sides[1]
    if isinstance(b, str) and b.endswith((".npz", ".safetensors")):
        document, clean = _judged(first, b, every)
    else:
        document, clean = _compared(first, _run(b, other_model or model, special), every), True
    if not clean:
        fail_check()
    print_document(document, look)


def _compared(first: Trace, second: Trace, every: bool) -> Document:
    """Two runs."""
    from llmtrace.experiments.compare import compare
    from llmtrace.views.comparison import view

    return view(compare(first, second), every=every)


def _judged(first: Trace, file: str, every: bool) -> tuple[Document, bool]:
    """The activations in a file, and whether all of them could be judged, and follow."""
    from llmtrace.experiments import dumps
    from llmtrace.experiments.referee import judge
    from llmtrace.views.referee import view

    arrays = dumps.read(Path(file))
    understood = dumps.understood(first, arrays)
    if not understood.steps.keys() - {"tokens"}:
        raise dumps.nothing(first, arrays, understood)
    found, strange = judge(first, understood.steps), understood.strange
    return view(found, every=every, strange=strange, nameless=understood.nameless), found.clean and not strange


def _run(what: str | list[int], model: str | None, special: bool) -> Trace:
    """The run of a prompt, or that of a file."""
    if isinstance(what, list):
        return as_language_model(load(model)).trace(what)
    if os.path.isfile(what) or what.endswith(".trace"):
        from llmtrace.loading import open_trace

        return open_trace(what, model)
    reader = as_language_model(load(model))
    return reader.trace(begun(reader, marked(what, special)))
