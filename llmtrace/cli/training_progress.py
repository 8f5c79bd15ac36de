"""Watching a training: live on a terminal, a line for each report elsewhere; and how far its preparation is."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.training_plan import announce
from llmtrace.errors import LlmtraceError, TrainingError
from llmtrace.i18n import _

if TYPE_CHECKING:
    from llmtrace.training import LanguageTraining
    from llmtrace.views.training import Point

WRITTEN = 24
"""A sample has so many new tokens."""


def watch(training: LanguageTraining, report: int, checkpoint: int, sample: str | None) -> None:
    """Trains to the end, shows how it goes, and saves where it is interrupted."""
    from llmtrace.render.terminal.console import output_console

    console, folder = output_console(), training.folder.path
    steps = training.plan.settings.steps
    if training.done >= steps:
        console.out(_("All {steps} steps are done already.", steps=steps), highlight=False)
    try:
        if training.done < steps:
            announce(training)
        show = watch_live if console.is_terminal else watch_lines
        show(console, training, training.run(report, checkpoint, tick := Tick()), tick, sample)
    except (KeyboardInterrupt, BrokenPipeError) as stop:
        with undisturbed():
            training.save()
        if isinstance(stop, BrokenPipeError):  # whoever read the output has seen enough
            raise
        if training.owed is not None and not console.is_terminal:
            console.out(line_of(training.owed, steps), highlight=False)
        said = _("Interrupted: saved after step {step} of {steps}. Go on with:")
        again = f"llmtrace train -o {shlex.quote(str(folder))} --resume"
        click.echo("\n" + said.format(step=training.done, steps=steps) + f"\n  {shown(again)}", err=True)
        sys.exit(130)
    except LlmtraceError as error:
        left = _("no checkpoint was made yet")
        if (folder / "model.safetensors").exists():
            left = _("the model in {folder} is that of the last checkpoint", folder=shown(str(folder)))
        raise TrainingError(_("{error}; {note}", error=error, note=left)) from error
    for line in ended(training, sample):
        console.out(line, highlight=False)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits no longer than this takes: pressed twice, it must not undo what it asked for."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Tick:
    """Is told of every step, and passes it on."""

    def __init__(self) -> None:
        self.to: Callable[[Any], object] | None = None

    def __call__(self, report: Any) -> None:
        """One more step is done."""
        if self.to is not None:
            self.to(report)


def watch_live(console: Any, training: LanguageTraining, run: Iterator[Any], tick: Tick, prompt: str | None) -> None:
    """On a terminal: one view, redrawn."""
    from rich.live import Live

    from llmtrace.views.training import TrainingView

    prompt = opening(training) if prompt is None else prompt
    view = TrainingView(training.plan.settings.steps, training.done, points=points(training))
    tick.to = view.tick
    with Live(view, console=console, refresh_per_second=4) as live:
        for progress in run:
            view.report(progress)
            view.sample = prompt, sample(training, prompt)
            live.refresh()


def watch_lines(console: Any, training: LanguageTraining, run: Iterator[Any], tick: Tick, prompt: str | None) -> None:
    """In a pipe: one line for each report."""
    for progress in run:
        line = line_of(progress, training.plan.settings.steps)
        if prompt:
            line = _("{line}; it writes: {text}", line=line, text=shown(repr(prompt + sample(training, prompt))))
        console.out(line, highlight=False)
        sys.stdout.flush()


def line_of(progress: Any, steps: int) -> str:
    """A report."""
    from llmtrace.views.training import report_line

    return report_line(progress, steps)


def sample(training: LanguageTraining, prompt: str) -> str:
    """What the model as it stands writes after a prompt."""
    return "".join(choice.written for choice in training.model.generate(prompt, WRITTEN)) if prompt else ""


def opening(training: LanguageTraining) -> str:
    """The first word or two of the texts, to go on with where nobody says with what."""
    ids = [int(i) for i in training.windows.tokens[:16]]
    found = re.match(r"\s*(\S+(?: \S+)?)", training.tokenizer.decode(ids))
    text = found[1] if found else ""
    return text if text.isprintable() and "\ufffd" not in text else ""


def points(training: LanguageTraining) -> list[Point]:
    """The reports so far, those of an interrupted training included."""
    from llmtrace.views.training import Point

    return [Point(entry["step"], entry["loss"], entry["validation"]) for entry in training.reports()]


def ended(training: LanguageTraining, prompt: str | None) -> Iterator[str]:
    """What to know at the end: how well it went, where the model is, and what to do with it."""
    from llmtrace.views.training import outcome

    folder = str(training.folder.path)
    place = shlex.quote(folder if "/" in folder else f"./{folder}")
    words = shlex.quote(prompt or opening(training) or "…")
    yield outcome(points(training))
    yield _("The model is in {folder}. Try it:", folder=shown(folder))
    for command in ("generate", "trace"):
        yield f"  llmtrace {command} {shown(words)} --model {shown(place)}"


def shown(text: str) -> str:
    """Text of others, on one line and harmless."""
    from llmtrace.text import inert

    return inert(text)


class Told:
    """Says on a terminal how far a preparation is."""

    def __enter__(self) -> Callable[[str, int, int], None]:
        from rich.progress import Progress

        from llmtrace.render.terminal.console import output_console

        console = output_console()
        self._progress = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._progress.start()
        self._tasks: dict[str, Any] = {}
        return self._tell

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _tell(self, what: str, done: int, whole: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=whole or None)
        self._progress.update(self._tasks[what], completed=done, total=whole or None)
