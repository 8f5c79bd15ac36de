"""A Step on a page: what came in, which weights, what was done, and what came out, with a few of the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page, label
from llmtrace.text import quoted
from llmtrace.trace import Step
from llmtrace.views.grid import Label, grid, sizes, summary
from llmtrace.views.grid import settings as settings_text


def view(step: Step, *, every: bool = False, count: int = 6) -> ConsoleRenderable:
    """The step as Rich prints it; `count` rows of the output are shown, and never more than a screenful."""
    return StepView(step, 24 if every else count)


@dataclass(frozen=True)
class StepView:
    """A Step that Rich can print."""

    step: Step
    rows: int = 6

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, step = Page.of(options), self.step
        yield page.line((step.name, NAME), f" = {step.op}({', '.join(step.record.inputs)})")
        yield page.line((label(_("formula")), QUIET), (formula_of(step), "italic"))
        yield from parts_view(step, page)
        if step.settings:
            yield page.line((label(_("settings")), QUIET), settings_text(step.settings))
        out = step.output
        yield page.line((label(_("came out")), QUIET), (sizes(out.shape, step.axes), VALUE), f", {out.dtype}")
        yield page.line(summary(out), indent=2)
        if out.size:
            yield from grid(out, step.axes, label_of(step), page, self.rows)


def formula_of(step: Step) -> str:
    """The formula of the step's op: without a bias, where the step has none."""
    op = OPS[step.op]
    weights = dict(zip(op.weights, step.record.weights, strict=True))
    return _(op.formula if weights.get("bias") is not None else op.formula.removesuffix(" + bias"))


def parts_view(step: Step, page: Page) -> Iterator[ConsoleRenderable]:
    """The inputs and the weights of a step, by the letters of its formula, with their sizes."""
    op, source = OPS[step.op], step.trace
    for letter, name in step.record.operands.items():
        if name is not None:
            title = _("came in") if letter in op.inputs else _("weights")
            size = sizes(source.shape(name), source.axes(name))
            yield page.line((label(title), QUIET), f"{letter} = {name}", (f"   {size}", QUIET))


def label_of(step: Step) -> Label:
    """The tokens along a step's axes; those of the first text of a batch."""
    source = step.trace
    batch = 0 if step.axes[:1] == ("batch",) else None
    return lambda axis, index: source.label(axis, index, batch) if axis != "batch" else None


def last_row(step: Step) -> tuple[str, Array]:
    """Where the row of a step's output stands that belongs to the last position (in the first head), and the row."""
    label = label_of(step)
    place, index = [], []
    lead = step.axes if step.op == "argmax" else step.axes[:-1]
    for axis, size in zip(lead, step.record.shape, strict=False):
        at = size - 1 if axis in {"position", "query"} else 0
        token = label(axis, at)
        index.append(at)
        place.append(f"{axis}={at}" if token is None else f"{axis}={at} {quoted(token, 16)}")
    return ", ".join(place), np.atleast_1d(step.output[tuple(index)])
