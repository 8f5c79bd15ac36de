"""`llmtrace train`: a GPT-2 of one's own, from text files to a folder that `llmtrace` and `transformers` read."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from llmtrace.cli.command import Command, Option, argument, note, option
from llmtrace.cli.options import FileName
from llmtrace.errors import TrainingError
from llmtrace.i18n import N_, _, listed

if TYPE_CHECKING:
    from llmtrace.trace import Keep
    from llmtrace.training import LanguageTraining, Setting, Tokenizer, TrainingFolder

COUNT = click.IntRange(min=1)
WARMUP = 100
"""The longest warm-up that nobody asked for."""
PRESETS = {"steps": N_("1000, or as --epochs says"), "warmup": N_("a tenth of the steps, at most 100")}
"""What is said of those that follow from others where they are not given."""
AT_ANY_TIME = {"resume", "steps", "report", "checkpoint", "sample", "trace_step", "keep"}
"""What may be said anew when a training is gone on with; all else decides its bits."""


class TrainCommand(Command):
    """A command that also takes every setting of a training, as an option of that name."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Where the options are asked for, the settings are loaded, and not before."""
        from llmtrace.training import Plan, Settings, settings_of

        params = super().get_params(ctx)
        place = [param.name for param in params].index("epochs")
        described = {**settings_of(Settings), **settings_of(Plan)}
        return [*params[:place], *(setting_option(name, its) for name, its in described.items()), *params[place:]]


def setting_option(name: str, its: Setting) -> Option:
    """The option for a setting."""
    kind: Any = click.FloatRange(0, 1 if its.share else None, max_open=its.share)
    if its.options:
        kind = click.Choice(its.options)
    elif isinstance(its.preset, int):
        kind = click.IntRange(min=its.least)
    told = _(PRESETS[name]) if name in PRESETS else True
    default = None if name in PRESETS else its.preset
    return Option([f"--{name.replace('_', '-')}"], type=kind, default=default, show_default=told, help=its.help)


def sizes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how large the model is."""
    for name, default, text in (
        ("--context", 128, N_("Tokens of each text: the longest that the model will read.")),
        ("--width", 128, N_("Numbers that stand for a token inside.")),
        ("--heads", 4, N_("Attention heads; they divide the width.")),
        ("--layers", 4, N_("Blocks.")),
    ):
        function = option(name, type=COUNT, default=default, show_default=True, metavar="N", help=text)(function)
    return function


@click.command("train", cls=TrainCommand)
@argument("files", nargs=-1, type=FileName(), metavar="FILE…")
@option("-o", "--output", type=FileName(), required=True, metavar="DIR", help=N_("The folder that the model goes to."))
@sizes
@option("--epochs", type=COUNT, metavar="N", help=N_("Instead of steps: how often the whole text is read."))
@option("--vocabulary", type=click.IntRange(min=257), default=512, show_default=True, help=N_("Tokens to learn."))
@option("--characters", is_flag=True, help=N_("Let every character be a token, and learn no others."))
@option("--separator", default="", metavar="TEXT", help=N_("What each document ends with, if the text is many."))
@option("--report", type=COUNT, default=50, show_default=True, metavar="N", help=N_("Report after every N steps."))
@option("--checkpoint", type=COUNT, default=200, show_default=True, metavar="N", help=N_("Save after every N steps."))
@option("--sample", metavar="TEXT", help=N_("Let the model go on with TEXT at every report; empty: never."))
@option("--resume", is_flag=True, help=N_("Go on with the training in DIR where it was saved last."))
@option("--trace-step", type=FileName(), metavar="FILE", help=N_("Do one step only and write all of it to FILE."))
@option(
    "--keep",
    type=click.Choice(["all", "residual"]),
    default="all",
    help=N_("Of --trace-step: all numbers, or only the residual stream and its gradients, which takes less memory."),
)
def command(files: tuple[str, ...], output: str, **given: Any) -> None:
    """Train a small GPT-2 on text files, and save it in a folder that llmtrace and transformers read.

    Ctrl-C saves and ends; --resume goes on from there, to the same bits as if nothing had happened. A training that has
    come to its end goes on by --resume with a larger number of --steps.

    \b
    Examples:
      llmtrace train book.txt -o my-model
      llmtrace train book.txt -o my-model --layers 2 --width 64 --steps 300
      llmtrace train -o my-model --resume
      llmtrace generate "Once upon a time" --model ./my-model
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.cli.training_progress import watch
    from llmtrace.training import LanguageTraining, TrainingFolder

    folder = TrainingFolder(output)
    expect_sensible(folder, files, given)
    with folder.alone() if given["resume"] else folder.anew() as there:
        if there is not None:
            expect_new(folder, there)
            begin(folder, [Path(name) for name in files], given)
        training = LanguageTraining(folder)
        expect_readable(training.tokenizer, given["sample"])
        if given["resume"] and given["steps"]:
            training.go_on(given["steps"])
        if given["trace_step"]:
            trace_step(training, given["trace_step"], given["keep"])
        else:
            watch(training, given["report"], given["checkpoint"], given["sample"])


def expect_sensible(folder: TrainingFolder, files: tuple[str, ...], given: dict[str, Any]) -> None:
    """An error where it can be seen at once that nothing will come of it."""
    from llmtrace.text import shown

    if given["resume"]:
        expect_nothing_new(files, list(given))
        if not folder.begun:
            text = _("there is no training to go on with in {folder}")
            raise TrainingError(text.format(folder=shown(folder.path)))
        return
    if not files:
        raise click.UsageError(_("give the text files to train on"))
    if given["steps"] and given["epochs"]:
        raise click.UsageError(_("give either --steps or --epochs, not both"))
    if given["width"] % given["heads"]:
        raise click.UsageError(
            _("a width of {width} can't be split into {heads} heads", width=given["width"], heads=given["heads"])
        )


def expect_nothing_new(files: tuple[str, ...], names: list[str]) -> None:
    """UsageError where --resume is given together with what the training was planned with."""
    if files:
        raise click.UsageError(_("--resume goes on with the texts that the training began with: give no FILE"))
    source = click.get_current_context().get_parameter_source
    wrong = [name for name in names if name not in AT_ANY_TIME and source(name) is ParameterSource.COMMANDLINE]
    if wrong:
        raise click.UsageError(
            _(
                "--resume goes on as the training was planned, so {options} can't be given again",
                options=listed(f"--{name.replace('_', '-')}" for name in sorted(wrong)),
            )
        )


def expect_readable(tokenizer: Tokenizer, sample: str | None) -> None:
    """PromptError where the model has no token for a part of what it is to go on with."""
    if sample:
        tokenizer.encode(sample)


def begin(folder: TrainingFolder, paths: list[Path], given: dict[str, Any]) -> None:
    """Learns the tokenizer, writes the texts as tokens, and the plan."""
    from llmtrace.cli.training_progress import Told
    from llmtrace.models import GPTConfig
    from llmtrace.training import Plan, Settings, must_fit, new_tokenizer, settings_of, windows_of
    from llmtrace.training.loop import TOGETHER
    from llmtrace.weights.gpt import GPT2

    own = {name: given[name] for name in settings_of(Settings) if given[name] is not None}
    Settings(**own)  # what can't be is refused before anything is done
    notes: list[str] = []
    with Told() as told:
        tokenizer = new_tokenizer(paths, None if given["characters"] else given["vocabulary"], told, notes.append)
        expect_readable(tokenizer, given["sample"])
        corpus = folder.encode(paths, tokenizer, given["separator"], told)
    width = given["width"]
    model = GPTConfig(len(tokenizer), given["context"], width, given["heads"], given["layers"], 4 * width)
    must_fit(GPT2, model, min(given["batch"], TOGETHER))

    def plan(**more: Any) -> Plan:
        return Plan(model, Settings(**{**own, **more}), corpus, **{name: given[name] for name in settings_of(Plan)})

    windows, held = windows_of(folder, plan())
    if given["validation"] and held is None:
        notes.append(_("there is too little held-out text to measure on; only the loss in training is shown"))
    steps = Settings(**own).steps
    if given["epochs"]:
        steps = math.ceil(given["epochs"] * windows.count / given["batch"])
    warmup = min(WARMUP, steps // 10) if given["warmup"] is None else given["warmup"]
    folder.begin(plan(steps=steps, warmup=warmup), tokenizer)
    for text in notes:
        note(text)


def expect_new(folder: TrainingFolder, there: list[Path]) -> None:
    """TrainingError where something is there already."""
    from llmtrace.text import shown

    place = shown(folder.path)
    if folder.begun:
        text = _("there is a training in {folder} already: go on with it by --resume, or give another folder")
        raise TrainingError(text.format(folder=place))
    if any(path.name in ("config.json", "model.safetensors") for path in there):
        raise TrainingError(_("there is a model in {folder} already: give another folder", folder=place))
    if there:
        text = _("{path} is there already and would be written over: give another folder")
        raise TrainingError(text.format(path=shown(there[0])))


def trace_step(training: LanguageTraining, path: str, keep: Keep) -> None:
    """Does one step with everything recorded, and writes that; the checkpoint stays as it is."""
    from llmtrace.ops import by_name
    from llmtrace.text import as_size, inert

    trace = training.traced_step(keep)
    size = as_size(trace.nbytes() + sum(weight.data.nbytes for weight in by_name(trace.weights.values()).values()))
    text = _("every number of this step takes {size}; a training with a smaller --batch has smaller steps", size=size)
    if keep == "all":
        note(text)
    trace.save(path, with_weights=True)
    click.echo(
        inert(
            _(
                'Step {step} is in {path}. Look at it with: llmtrace explain "loss" --trace {path}',
                step=training.done,
                path=shlex.quote(path),
            )
        )
    )
