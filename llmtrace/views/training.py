"""A training as it goes: how far it is, both loss curves, speed, time left, and a sample of what the model writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult

from llmtrace.i18n import _
from llmtrace.render.terminal.layout import NAME, QUIET, Hanging, Page
from llmtrace.training import Progress, Report

HEIGHT, MARGIN, WIDEST = 8, 9, 80
TRAIN, HELD = "*", "o"
"""What the two curves are drawn with: plain characters, as wide everywhere as they look here."""


def report_line(progress: Progress, steps: int) -> str:
    """One report in one line, for pipes and logs."""
    parts = [
        _("step {step} of {steps}", step=progress.step, steps=steps),
        _("loss {loss:.4f}", loss=progress.loss),
    ]
    if progress.validation is not None:
        parts.append(_("on held-out text {loss:.4f}", loss=progress.validation))
    parts.append(_("{speed:,.0f} tokens/s", speed=progress.tokens_per_second))
    parts.append(_("{time} left", time=duration(progress.seconds_left)))
    return _(", ").join(parts)


def duration(seconds: float) -> str:
    """`12 s`, `3:05 min` or `1:02 h`."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


@dataclass(frozen=True)
class Point:
    """Both losses after some steps; None where there is no held-out text."""

    step: int
    loss: float
    validation: float | None


def outcome(points: Sequence[Point]) -> str:
    """How well a training went, in one line."""
    if not points:
        return _("nothing was reported")
    last = points[-1]
    said = _("step {step}: loss {loss:.4f}", step=last.step, loss=last.loss)
    best = min((p for p in points if p.validation is not None), key=lambda p: p.validation or 0.0, default=None)
    if best is None or last.validation is None:
        return said
    said += _("; on held-out text {loss:.4f}", loss=last.validation)
    if best.step == last.step:
        return said + _(", the best so far")
    return said + _(", the best was {loss:.4f} after step {step}", loss=best.validation, step=best.step)


@dataclass
class TrainingView:
    """What a terminal shows while a model is trained; redrawn after every step."""

    steps: int
    step: int = 0
    points: list[Point] = field(default_factory=list)
    """What was reported."""
    latest: Progress | None = None
    sample: tuple[str, str] = ("", "")
    """A prompt, and what the model wrote after it."""

    def tick(self, report: Report) -> None:
        """One more step is done."""
        self.step = report.step

    def report(self, progress: Progress) -> None:
        """One more report is there."""
        self.latest = progress
        self.points.append(Point(progress.step, progress.loss, progress.validation))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        width = min(page.width, WIDEST)
        room = max(1, width - 2)
        done = room * self.step // max(1, self.steps)
        yield page.line((_("step {step} of {steps}", step=self.step, steps=self.steps), NAME), *self._speed())
        yield page.line((f"[{'=' * done}{' ' * (room - done)}]", QUIET))
        if self.points:
            yield page.line(outcome(self.points))
        yield from curves(self.points, page, width)
        if self.sample[1]:
            yield page.line((_("it writes: "), QUIET), (self.sample[0], NAME), self.sample[1])

    def _speed(self) -> Iterator[str]:
        if self.latest is not None:
            left = (self.steps - self.step) * self.latest.seconds_left / max(1, self.steps - self.latest.step)
            yield "   " + _("{speed:,.0f} tokens/s", speed=self.latest.tokens_per_second)
            yield "   " + _("{time} left", time=duration(left))


def curves(
    points: Sequence[Point], page: Page, width: int, height: int = HEIGHT, held_out: str = ""
) -> Iterator[Hanging]:
    """Both losses over the steps, from the highest to the lowest; `held_out` is what the second one is called."""
    held = [(p.step, p.validation) for p in points if p.validation is not None]
    trained = [(p.step, p.loss) for p in points]
    values = [loss for _step, loss in [*trained, *held]]
    room = width - MARGIN
    if len(points) < 2 or room < 10:
        return
    high, low, last = max(values), min(values), points[-1].step
    grid = [[" "] * room for _row in range(height)]
    for series, mark in ((held, HELD), (trained, TRAIN)):
        for step, loss in series:
            row = round((high - loss) / (high - low or 1) * (height - 1))
            grid[row][(step - 1) * (room - 1) // max(1, last - 1)] = mark
    for i, marks in enumerate(grid):
        label = f"{high - (high - low) * i / (height - 1):8.3g} " if i in {0, height - 1} else " " * MARGIN
        yield page.line((label, QUIET), "".join(marks).rstrip())
    legend = _("{mark} loss in training", mark=TRAIN)
    if held:
        legend += "   " + (held_out or _("{mark} loss on held-out text")).format(mark=HELD)
    yield page.line((legend, QUIET), indent=MARGIN)
