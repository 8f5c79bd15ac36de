"""`llmtrace corpus`: many prompts, on one machine or on a cluster, into one index with one hash."""

from __future__ import annotations

from typing import Any

import click

from llmtrace.cli.command import argument, fail_check, new_command, note, option
from llmtrace.cli.options import FileName, ascii_option, json_option, model_option, special_option
from llmtrace.cli.output import Look, print_document
from llmtrace.cli.progress import telling
from llmtrace.i18n import N_, _


@new_command("corpus")
@argument("prompts", type=FileName(), metavar="PROMPTS.jsonl")
@option("-o", "--output", type=FileName(), required=True, metavar="DIR", help=N_("The folder that the index goes to."))
@model_option
@option(
    "--keep",
    multiple=True,
    metavar="ADDRESS",
    help=N_("Also keep these numbers of each run, such as logits[-1] or block.0.residual_out. Can be given again."),
)
@option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help=N_("How many processes compute. Default: as many as there are cores."),
)
@option("--scheduler", metavar="ADDRESS", help=N_("Compute on a dask cluster, whose scheduler is at tcp://…"))
@special_option
@option("--all", "every", is_flag=True, help=N_("List every prompt that did not run."))
@ascii_option
@json_option
def command(prompts: str, output: str, model: str | None, **options: Any) -> None:
    """Run every prompt of a file through a model, and write an index with a row for each: its tokens, its loss, its state.

    Each line of PROMPTS.jsonl is JSON: a text, a list of token ids, or an object with "text" or "ids", and "id" for its name.

    What was finished before is skipped, so that a run that was ended goes on. A prompt that can't be run is a row with the
    reason.

    \b
    Examples:
      llmtrace corpus prompts.jsonl -o out
      llmtrace corpus prompts.jsonl -o scores --keep "logits[-1]" --workers 2
      llmtrace corpus prompts.jsonl -o out --scheduler tcp://10.0.0.1:8786
    """  # noqa: D301 - \b keeps click from filling the lines
    if options["scheduler"] is not None and options["workers"] is not None:
        raise click.UsageError(_("--workers is for processes here: a cluster has workers of its own"))
    from contextlib import nullcontext

    from llmtrace.corpus import trace
    from llmtrace.corpus.engines import dask
    from llmtrace.loading import DEFAULT
    from llmtrace.views.corpus import view

    cluster = nullcontext() if options["scheduler"] is None else dask(options["scheduler"])
    with cluster as executor, telling() as progress:
        report = trace(
            prompts,
            DEFAULT if model is None else model,
            output,
            executor,
            keep=options["keep"],
            special=options["special"],
            workers=options["workers"],
            progress=progress,
        )
    why = _why_not_done(report.counts)
    if why:
        fail_check()
    document = view(report, every=options["every"])
    print_document(document, Look(as_json=options["as_json"], only_ascii=options["only_ascii"]))
    if why:
        note(why)


def _why_not_done(counts: dict[str, int]) -> str:
    """What scripts must see, too: that it is to be run again, or that all of it is wrong; else ""."""
    from llmtrace.corpus.work import DONE, UNFINISHED

    if counts.get(UNFINISHED):
        return _("not all prompts were finished; the same command runs the others")
    return "" if counts.get(DONE) else _("none of the prompts ran")
