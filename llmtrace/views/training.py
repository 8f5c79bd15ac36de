"""A training as it goes: how far it is, both loss curves, speed, time left, and a sample of what the model writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmtrace.display import Displayed
from llmtrace.frozen import frozen
from llmtrace.i18n import _, clauses
from llmtrace.views.document import Block, Document, name, paragraph, quiet
from llmtrace.views.figures import Chart, Curve, Progress


class Measured(Protocol):
    """What a training reports from time to time."""

    @property
    def step(self) -> int:
        """How many steps are done."""

    @property
    def loss(self) -> float:
        """The mean loss of the last steps, in nats."""

    @property
    def validation(self) -> float | None:
        """That on held-out text, if there is some."""

    @property
    def tokens_per_second(self) -> float:
        """How fast it goes."""

    @property
    def seconds_left(self) -> float:
        """How long it will take still."""


def report_line(progress: Measured, steps: int) -> str:
    """One report in one line, for pipes and logs."""
    parts = [
        _("step {step} of {steps}", step=progress.step, steps=steps),
        _("loss {loss:.4f}", loss=progress.loss),
    ]
    if progress.validation is not None:
        parts.append(_("on held-out text {loss:.4f}", loss=progress.validation))
    parts.append(_("{speed:,.0f} tokens/s", speed=progress.tokens_per_second))
    parts.append(_("{time} left", time=duration(progress.seconds_left)))
    return clauses(parts)


def duration(seconds: float) -> str:
    """`12 s`, `3:05 min` or `1:02 h`."""
    whole = math.ceil(seconds)
    if whole < 60:
        return _("{count} s", count=whole)
    if whole < 3600:
        return _("{count} min", count=f"{whole // 60}:{whole % 60:02}")
    return _("{count} h", count=f"{whole // 3600}:{whole % 3600 // 60:02}")


@frozen
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
class TrainingView(Displayed):
    """What is seen while a model is trained; it is looked at again after every step."""

    steps: int
    step: int = 0
    points: list[Point] = field(default_factory=list)
    """What was reported."""
    latest: Measured | None = None
    sample: tuple[str, str] = ("", "")
    """A prompt, and what the model wrote after it."""

    def tick(self, report: Any) -> None:
        """One more step is done."""
        self.step = report.step

    def report(self, progress: Measured) -> None:
        """One more report is there."""
        self.latest = progress
        self.points.append(Point(progress.step, progress.loss, progress.validation))

    def document(self) -> Document:
        """It as it stands."""
        return Document(tuple(self._blocks()))

    def _blocks(self) -> Iterator[Block]:
        step = name(_("step {step} of {steps}", step=self.step, steps=self.steps))
        yield paragraph(step, *self._speed())
        yield Progress(self.step, self.steps)
        if self.points:
            yield paragraph(outcome(self.points))
            yield curves(self.points)
        if self.sample[1]:
            yield paragraph(quiet(_("it writes: ")), name(self.sample[0]), self.sample[1])

    def _speed(self) -> Iterator[str]:
        if self.latest is not None:
            left = (self.steps - self.step) * self.latest.seconds_left / max(1, self.steps - self.latest.step)
            yield "   " + _("{speed:,.0f} tokens/s", speed=self.latest.tokens_per_second)
            yield "   " + _("{time} left", time=duration(left))


def curves(points: Sequence[Point], height: int = 8, held_out: str = "") -> Chart:
    """Both losses over the steps; `held_out` is what the second one is called."""
    trained = Curve(_("{mark} loss in training"), tuple((p.step, p.loss) for p in points))
    held = tuple((p.step, p.validation) for p in points if p.validation is not None)
    return Chart((trained, Curve(held_out or _("{mark} loss on held-out text"), held)), height)
