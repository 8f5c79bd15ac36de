"""`llmtrace verify`: does every number in a trace file follow from its inputs?"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from llmtrace.cli.command import argument, new_command, note, option
from llmtrace.cli.options import FileName, model_option
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.i18n import N_, _, n_

if TYPE_CHECKING:
    from llmtrace.explain.verify import Progress


@new_command("verify")
@argument("file", type=FileName())
@model_option
@option("--sample", type=click.IntRange(min=1), metavar="N", help=N_("Check N numbers drawn at random, not all."))
@option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help=N_("Which numbers are drawn. Default: 0."))
@shown_options(own=("as_json",))
def command(file: str, model: str | None, sample: int | None, seed: int, look: Look) -> None:
    """Do every step of the trace in FILE again, and name the first number that does not follow from its inputs.

    The file's checksums are checked as well. The weights come from the file, or from the model that it names.

    \b
    Examples:
      llmtrace trace "The king had a child, a girl." -o king.trace
      llmtrace verify king.trace
      llmtrace verify king.trace --sample 100
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.explain.not_finite import warning
    from llmtrace.explain.verify import recorded_numbers, verify, verify_sample
    from llmtrace.loading import open_trace
    from llmtrace.views.document import Document, paragraph

    trace = open_trace(file, model)
    if sample is not None and sample >= recorded_numbers(trace):
        sample = None  # all of them
    with _progress(len(trace)) as progress:
        count = verify(trace, progress) if sample is None else verify_sample(trace, sample, seed, progress)
    found = warning(trace)
    said = _("✓ all {count} numbers follow from their inputs, bit for bit")
    if sample is not None:
        said = n_(
            "✓ {count} number, drawn at random, follows from its inputs, bit for bit",
            "✓ {count} numbers, drawn at random, follow from their inputs, bit for bit",
            count,
        )
    facts = {"file": file, "right": True, "numbers": count, "not_finite": found or None}
    print_document(Document((paragraph(said.format(count=f"{count:,}")),), facts), look)
    if found and not look.as_json:
        note(found)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Progress]:
    """A bar on standard error, where that is a terminal, as soon as the work takes more than a second."""
    if not sys.stderr.isatty():  # FORCE_COLOR does not make it one
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar, start = Bar(console=Console(stderr=True), transient=True), time.monotonic()
    task = bar.add_task(_("verifying"), total=total)

    def advance(name: str) -> None:
        if time.monotonic() - start > 1 and not bar.live.is_started:
            bar.start()
        bar.advance(task)

    try:
        yield advance
    finally:
        bar.stop()
