"""A training as it goes: how far it is, both loss curves, speed, time left, and a sample of what the model writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from llmtrace.render.inert import inert
from llmtrace.render.page import NAME, QUIET
from llmtrace.training import Progress
from llmtrace.words import _

HEIGHT = 8
TRAIN, HELD = "*", "o"
"""What the two curves are drawn with: plain characters, as wide everywhere as they look here."""


def report_line(progress: Progress, steps: int) -> str:
    """One report in one line, for pipes and logs."""
    parts = [
        _("step {step} of {steps}").format(step=progress.step, steps=steps),
        _("loss {loss:.4f}").format(loss=progress.loss),
    ]
    if progress.validation is not None:
        parts.append(_("on held-out text {loss:.4f}").format(loss=progress.validation))
    parts.append(_("{speed:,.0f} tokens/s").format(speed=progress.tokens_per_second))
    parts.append(_("{time} left").format(time=duration(progress.seconds_left)))
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """`12 s`, `3:05 min` or `1:02 h`."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


@dataclass
class TrainingView:
    """What a terminal shows while a model is trained; redrawn after every step."""

    steps: int
    step: int = 0
    loss: float = math.nan
    reports: list[Progress] = field(default_factory=list)
    sample: tuple[str, str] = ("", "")
    """A prompt, and what the model wrote after it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, 80)
        said = _("step {step} of {steps}").format(step=self.step, steps=self.steps)
        yield Text.assemble((said, NAME), "  ", _("loss {loss:.4f}").format(loss=self.loss))
        room = width - 2
        done = room * self.step // max(1, self.steps)
        yield Text("[" + "=" * done + " " * (room - done) + "]", QUIET)
        if self.reports:
            yield Text(report_line(self.reports[-1], self.steps), QUIET)
            yield from curves(self.reports, width)
        if self.sample[1]:
            yield Text.assemble((_("it writes: "), QUIET), (inert(self.sample[0]), NAME), inert(self.sample[1]))


def curves(reports: Sequence[Progress], width: int) -> Iterator[Text]:
    """Both losses over the steps, from the highest to the lowest."""
    held = [(r.step, r.validation) for r in reports if r.validation is not None]
    trained = [(r.step, r.loss) for r in reports]
    values = [loss for _step, loss in [*trained, *held] if math.isfinite(loss)]
    if len(reports) < 2 or not values:
        return
    high, low, last = max(values), min(values), reports[-1].step
    room = width - 9
    grid = [[" "] * room for _row in range(HEIGHT)]
    for points, mark in ((held, HELD), (trained, TRAIN)):
        for step, loss in points:
            if math.isfinite(loss):
                row = round((high - loss) / (high - low or 1) * (HEIGHT - 1))
                grid[row][(step - 1) * (room - 1) // max(1, last - 1)] = mark
    for i, row in enumerate(grid):
        label = f"{high - (high - low) * i / (HEIGHT - 1):8.3f} " if i in {0, HEIGHT - 1} else " " * 9
        yield Text.assemble((label, QUIET), "".join(row).rstrip())
    legend = _("{mark} loss in training").format(mark=TRAIN)
    if held:
        legend += "   " + _("{mark} loss on held-out text").format(mark=HELD)
    yield Text(" " * 9 + legend, QUIET)
