"""`llmtrace train`: a GPT-2 of one's own, from text files to a folder that `llmtrace` and `transformers` read."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import FileName
from llmtrace.errors import LlmtraceError, TrainingError
from llmtrace.words import N_, _

if TYPE_CHECKING:
    from llmtrace.training import LanguageTraining, TrainingFolder

COUNT = click.IntRange(min=1)
FROM_ZERO = click.FloatRange(min=0)


def sizes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how large the model is."""
    for name, default, text in (
        ("--batch", 16, N_("Texts read in one step.")),
        ("--context", 128, N_("Tokens of each text: the longest that the model will read.")),
        ("--width", 128, N_("Numbers that stand for a token inside.")),
        ("--heads", 4, N_("Attention heads; they divide the width.")),
        ("--layers", 4, N_("Blocks.")),
    ):
        function = option(name, type=COUNT, default=default, show_default=True, metavar="N", help=text)(function)
    return function


def settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how it is trained, named and preset like the fields of `llmtrace.training.Settings`."""
    for name, default, kind, text in (
        ("--seed", 0, click.IntRange(min=0), N_("The same seed gives the same weights, bit for bit.")),
        ("--dropout", 0.0, FROM_ZERO, N_("Share of numbers left out at random.")),
        ("--clip", 1.0, FROM_ZERO, N_("Longest gradient; 0: any.")),
        ("--l2", 0.0, FROM_ZERO, N_("Pull towards 0 in proportion to a weight, as part of the gradient.")),
        ("--l1", 0.0, FROM_ZERO, N_("Pull towards 0 that does not depend on a weight's size.")),
        ("--decay", 0.1, FROM_ZERO, N_("Weight decay of matrices and tables.")),
        ("--momentum", 0.9, FROM_ZERO, N_("Share of the last steps' direction that is kept.")),
        ("--optimiser", "adamw", click.Choice(["adamw", "adam", "sgd"]), N_("How a gradient becomes a step.")),
        ("--warmup", 100, click.IntRange(min=0), N_("Steps in which the learning rate rises from 0.")),
        ("--schedule", "cosine", click.Choice(["cosine", "constant"]), N_("How the rate goes on after that.")),
        ("--rate", 1e-3, FROM_ZERO, N_("The learning rate: how far a step goes.")),
    ):
        function = option(name, type=kind, default=default, show_default=True, help=text)(function)
    return function


@new_command("train")
@click.argument("files", nargs=-1, type=FileName(), metavar="FILE…")
@option("-o", "--output", type=FileName(), required=True, metavar="DIR", help=N_("The folder that the model goes to."))
@option("--steps", type=COUNT, metavar="N", help=N_("Steps; one step reads one batch. Default: 1000."))
@option("--epochs", type=COUNT, metavar="N", help=N_("Instead of steps: how often the whole text is read."))
@sizes
@settings
@option("--vocabulary", type=click.IntRange(min=257), default=512, show_default=True, help=N_("Tokens to learn."))
@option("--characters", is_flag=True, help=N_("Let every character be a token, and learn no others."))
@option("--separator", default="", metavar="TEXT", help=N_("What each document ends with, if the text is many."))
@option("--validation", type=FROM_ZERO, default=0.1, show_default=True, help=N_("Share of the text to measure on."))
@option("--report", type=COUNT, default=50, show_default=True, metavar="N", help=N_("Report after every N steps."))
@option("--checkpoint", type=COUNT, default=200, show_default=True, metavar="N", help=N_("Save after every N steps."))
@option("--sample", default="", metavar="TEXT", help=N_("Let the model go on with TEXT at every report."))
@option("--resume", is_flag=True, help=N_("Go on with the training in DIR where it was saved last."))
@option("--trace-step", type=FileName(), metavar="FILE", help=N_("Do one step more and write all of it to FILE."))
def command(files: tuple[str, ...], output: str, **given: Any) -> None:
    """Train a small GPT-2 on text files, and save it in a folder that llmtrace and transformers read.

    Ctrl-C saves and ends; --resume goes on from there, to the same bits as if nothing had happened.

    \b
    Examples:
      llmtrace train book.txt -o my-model
      llmtrace train book.txt -o my-model --layers 2 --width 64 --steps 300
      llmtrace train -o my-model --resume
      llmtrace generate "Once upon a time" --model ./my-model
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.training import LanguageTraining, TrainingFolder

    folder = TrainingFolder(output)
    if given["resume"]:
        if files:
            raise click.UsageError(_("--resume goes on with the texts that the training began with: give no FILE"))
    else:
        begin(folder, [Path(name) for name in files], given)
    training = LanguageTraining(folder)
    if given["trace_step"]:
        trace_step(training, given["trace_step"])
    else:
        watch(training, given)


def begin(folder: TrainingFolder, paths: list[Path], given: dict[str, Any]) -> None:
    """Learns the tokenizer, writes the texts as tokens, and the plan."""
    from llmtrace.models import GPTConfig
    from llmtrace.training import Plan, Settings, encode_files, new_tokenizer

    if not paths:
        raise click.UsageError(_("give the text files to train on"))
    if folder.begun:
        raise TrainingError(
            _("there is a training in {folder} already: go on with it by --resume, or give another folder").format(
                folder=folder.path
            )
        )
    if given["width"] % given["heads"]:
        raise click.UsageError(
            _("a width of {width} can't be split into {heads} heads").format(width=given["width"], heads=given["heads"])
        )
    own = {f.name: given[f.name] for f in fields(Settings) if f.name in given and given[f.name] is not None}
    Settings(**own)  # what can't be is refused before anything is done
    with Told() as told:
        tokenizer = new_tokenizer(paths, None if given["characters"] else given["vocabulary"], told)
        folder.inner.mkdir(parents=True, exist_ok=True)
        count = encode_files(paths, tokenizer, folder.inner / "tokens", given["separator"], told)
    if given["epochs"]:
        own["steps"] = max(
            1, given["epochs"] * int(count * (1 - given["validation"])) // (given["batch"] * given["context"])
        )
    width = given["width"]
    model = GPTConfig(len(tokenizer), given["context"], width, given["heads"], given["layers"], 4 * width)
    hashes = {path.name: digest(path) for path in paths}
    plan = Plan(model, Settings(**own), given["batch"], given["validation"], given["separator"], count, hashes)
    expect_enough(plan, folder)
    folder.begin(plan, tokenizer)


def expect_enough(plan: Any, folder: TrainingFolder) -> None:
    """TrainingError where there is less text than one window."""
    from llmtrace.training import Windows, split

    Windows(split(folder.ids(plan), plan.validation)[0], plan.model.context, 0)


def digest(path: Path) -> str:
    """The SHA-256 of a file, for the record."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def watch(training: LanguageTraining, given: dict[str, Any]) -> None:
    """Trains to the end, shows how it goes, and saves where it is interrupted."""
    from llmtrace.render import terminal

    console = terminal()
    steps = training.plan.settings.steps
    try:
        (watch_live if console.is_terminal else watch_lines)(console, training, given)
    except KeyboardInterrupt:
        training.save()
        text = _("Interrupted: saved after step {step} of {steps}. Go on with: llmtrace train -o {folder} --resume")
        click.echo("\n" + text.format(step=training.done, steps=steps, folder=training.folder.path), err=True)
        sys.exit(130)
    except LlmtraceError as error:
        raise TrainingError(
            _("{error}. The model in {folder} is that of the last checkpoint").format(
                error=error, folder=training.folder.path
            )
        ) from error
    console.out(_("The model is in {folder}.").format(folder=training.folder.path), highlight=False)


def watch_live(console: Any, training: LanguageTraining, given: dict[str, Any]) -> None:
    """On a terminal: one view, redrawn."""
    from rich.live import Live

    from llmtrace.render.training import TrainingView

    view = TrainingView(training.plan.settings.steps, training.done)
    with Live(view, console=console, refresh_per_second=4) as live:

        def tick(report: Any) -> None:
            view.step, view.loss = report.step, report.loss

        for progress in training.run(given["report"], given["checkpoint"], tick):
            view.reports.append(progress)
            view.sample = given["sample"], sample(training, given["sample"])
            live.refresh()


def watch_lines(console: Any, training: LanguageTraining, given: dict[str, Any]) -> None:
    """In a pipe: one line for each report."""
    from llmtrace.render.inert import inert
    from llmtrace.render.training import report_line

    for progress in training.run(given["report"], given["checkpoint"]):
        line = report_line(progress, training.plan.settings.steps)
        if given["sample"]:
            line += "; " + _("it writes: ") + inert(repr(given["sample"] + sample(training, given["sample"])))
        console.out(line, highlight=False)
        sys.stdout.flush()


def sample(training: LanguageTraining, prompt: str) -> str:
    """What the model as it stands writes after a prompt."""
    if not prompt:
        return ""
    return "".join(choice.text for choice in training.model.generate(prompt, 24))


def trace_step(training: LanguageTraining, path: str) -> None:
    """Does one step with everything recorded, and writes that; the checkpoint stays as it is."""
    trace = training.traced_step()
    trace.save(path, with_weights=True)
    click.echo(
        _('Step {step} is in {path}. Look at it with: llmtrace explain "loss" --trace {path}').format(
            step=training.done, path=path
        )
    )


class Told:
    """Says on a terminal how far a preparation is."""

    def __enter__(self) -> Callable[[str, int, int], None]:
        from rich.progress import Progress

        from llmtrace.render import terminal

        self._progress = Progress(console=terminal(), transient=True, disable=not sys.stdout.isatty())
        self._progress.start()
        self._tasks: dict[str, Any] = {}
        return self._tell

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _tell(self, what: str, done: int, whole: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=whole or None)
        self._progress.update(self._tasks[what], completed=done, total=whole or None)
