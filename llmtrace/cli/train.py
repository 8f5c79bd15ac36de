"""`llmtrace train`: a GPT-2 of one's own, from text files to a folder that `llmtrace` and `transformers` read."""

from __future__ import annotations

import hashlib
import math
import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import FileName
from llmtrace.errors import TrainingError
from llmtrace.words import N_, _

if TYPE_CHECKING:
    from llmtrace.training import LanguageTraining, Tokenizer, TrainingFolder

COUNT = click.IntRange(min=1)
FROM_ZERO = click.FloatRange(min=0)
SHARE = click.FloatRange(0, 1, max_open=True)
WARMUP = 100
"""The longest warm-up that nobody asked for."""
AT_ANY_TIME = {"resume", "report", "checkpoint", "sample", "trace_step"}
"""What may be said anew when a training is gone on with; all else decides its bits."""


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
        ("--seed", 0, click.IntRange(0, 2**31 - 1), N_("The same seed gives the same weights, bit for bit.")),
        ("--dropout", 0.0, SHARE, N_("Share of numbers left out at random.")),
        ("--clip", 1.0, FROM_ZERO, N_("Longest gradient; 0: any.")),
        ("--l2", 0.0, FROM_ZERO, N_("Pull towards 0 in proportion to a weight, as part of the gradient.")),
        ("--l1", 0.0, FROM_ZERO, N_("Pull towards 0 that does not depend on a weight's size.")),
        ("--decay", 0.1, FROM_ZERO, N_("Weight decay of matrices and tables.")),
        ("--momentum", 0.9, SHARE, N_("Share of the last steps' direction that is kept.")),
        ("--optimiser", "adamw", click.Choice(["adamw", "adam", "sgd"]), N_("How a gradient becomes a step.")),
        (
            "--warmup",
            None,
            click.IntRange(min=0),
            N_("Steps in which the learning rate rises from 0. Default: a tenth."),
        ),
        ("--schedule", "cosine", click.Choice(["cosine", "constant"]), N_("How the rate goes on after that.")),
        ("--rate", 1e-3, FROM_ZERO, N_("The learning rate: how far a step goes.")),
    ):
        function = option(name, type=kind, default=default, show_default=default is not None, help=text)(function)
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
@option("--validation", type=SHARE, default=0.1, show_default=True, help=N_("Share of the text to measure on."))
@option("--report", type=COUNT, default=50, show_default=True, metavar="N", help=N_("Report after every N steps."))
@option("--checkpoint", type=COUNT, default=200, show_default=True, metavar="N", help=N_("Save after every N steps."))
@option("--sample", metavar="TEXT", help=N_("Let the model go on with TEXT at every report; empty: never."))
@option("--resume", is_flag=True, help=N_("Go on with the training in DIR where it was saved last."))
@option("--trace-step", type=FileName(), metavar="FILE", help=N_("Do one step only and write all of it to FILE."))
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
    from llmtrace.cli.watch import watch
    from llmtrace.storage import shown
    from llmtrace.training import LanguageTraining, TrainingFolder

    folder = TrainingFolder(output)
    if given["resume"]:
        expect_nothing_new(files, list(given))
        if not folder.begun:
            raise TrainingError(_("there is no training to go on with in {folder}").format(folder=shown(output)))
    else:
        begin(folder, [Path(name) for name in files], given)
    training = LanguageTraining(folder)
    expect_readable(training.tokenizer, given["sample"])
    if given["trace_step"]:
        trace_step(training, given["trace_step"])
    else:
        watch(training, given["report"], given["checkpoint"], given["sample"])


def expect_nothing_new(files: tuple[str, ...], names: list[str]) -> None:
    """UsageError where --resume is given together with what the training was planned with."""
    if files:
        raise click.UsageError(_("--resume goes on with the texts that the training began with: give no FILE"))
    source = click.get_current_context().get_parameter_source
    wrong = [name for name in names if name not in AT_ANY_TIME and source(name) is ParameterSource.COMMANDLINE]
    if wrong:
        raise click.UsageError(
            _("--resume goes on as the training was planned, so {options} can't be given again").format(
                options=", ".join(f"--{name}" for name in sorted(wrong))
            )
        )


def expect_readable(tokenizer: Tokenizer, sample: str | None) -> None:
    """PromptError where the model has no token for a part of what it is to go on with."""
    if sample:
        tokenizer.encode(sample)


def begin(folder: TrainingFolder, paths: list[Path], given: dict[str, Any]) -> None:
    """Learns the tokenizer, writes the texts as tokens, and the plan."""
    from llmtrace.cli.watch import Told
    from llmtrace.models import GPTConfig
    from llmtrace.training import Plan, Settings, encode_files, must_fit, new_tokenizer, windows_of
    from llmtrace.training.loop import TOGETHER

    own = {f.name: given[f.name] for f in fields(Settings) if given.get(f.name) is not None}
    expect_possible(folder, paths, given)
    Settings(**own)  # what can't be is refused before anything is done
    notes: list[str] = []
    with Told() as told:
        tokenizer = new_tokenizer(paths, None if given["characters"] else given["vocabulary"], told, notes.append)
        expect_readable(tokenizer, given["sample"])
        make_folder(folder)
        count = encode_files(paths, tokenizer, folder.inner / "tokens", given["separator"], told)
    width = given["width"]
    model = GPTConfig(len(tokenizer), given["context"], width, given["heads"], given["layers"], 4 * width)
    must_fit(model, min(given["batch"], TOGETHER))
    names = [path.name for path in paths]
    hashes = {path.name if names.count(path.name) == 1 else str(path): digest(path) for path in paths}

    def plan(**more: Any) -> Plan:
        made = Settings(**{**own, **more})
        return Plan(model, made, given["batch"], given["validation"], given["separator"], count, hashes)

    windows, held = windows_of(folder, plan())
    if given["validation"] and held is None:
        notes.append(_("there is too little held-out text to measure on; only the loss in training is shown"))
    steps = Settings(**own).steps
    if given["epochs"]:
        steps = math.ceil(given["epochs"] * windows.count / given["batch"])
    warmup = min(WARMUP, steps // 10) if given["warmup"] is None else given["warmup"]
    folder.begin(plan(steps=steps, warmup=warmup), tokenizer)
    for note in notes:
        click.echo(_("Note: {text}").format(text=note), err=True)


def expect_possible(folder: TrainingFolder, paths: list[Path], given: dict[str, Any]) -> None:
    """An error where it can be seen at once that nothing will come of it."""
    from llmtrace.storage import shown

    if not paths:
        raise click.UsageError(_("give the text files to train on"))
    if given["steps"] and given["epochs"]:
        raise click.UsageError(_("give either --steps or --epochs, not both"))
    if given["width"] % given["heads"]:
        raise click.UsageError(
            _("a width of {width} can't be split into {heads} heads").format(width=given["width"], heads=given["heads"])
        )
    place = shown(folder.path)
    if folder.begun:
        text = _("there is a training in {folder} already: go on with it by --resume, or give another folder")
        raise TrainingError(text.format(folder=place))
    if any((folder.path / name).exists() for name in ("config.json", "model.safetensors")):
        raise TrainingError(_("there is a model in {folder} already: give another folder").format(folder=place))


def make_folder(folder: TrainingFolder) -> None:
    """Makes the folder; TrainingError where that can't be."""
    from llmtrace.storage import shown

    try:
        folder.inner.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TrainingError(_("{path} can't be written: {why}").format(path=shown(folder.path), why=why)) from error


def digest(path: Path) -> str:
    """The SHA-256 of a file, for the record."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def trace_step(training: LanguageTraining, path: str) -> None:
    """Does one step with everything recorded, and writes that; the checkpoint stays as it is."""
    from llmtrace.render.inert import inert

    trace = training.traced_step()
    trace.save(path, with_weights=True)
    click.echo(
        inert(
            _('Step {step} is in {path}. Look at it with: llmtrace explain "loss" --trace {path}').format(
                step=training.done, path=shlex.quote(path)
            )
        )
    )
