"""All steps of a trace in a list: their sizes, and how their numbers are spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.i18n import N_, _, n_
from llmtrace.render.notebook import View
from llmtrace.render.terminal.layout import HEADING, NAME, QUIET, Page
from llmtrace.render.terminal.palette import in_colour
from llmtrace.render.terminal.table import Column, columns_view
from llmtrace.trace import Step, Trace
from llmtrace.views.histogram import spread
from llmtrace.views.numbers import rounded
from llmtrace.views.sections import Part, blocks, parts, trained

FEW_BLOCKS = 4
"""Of models with more blocks than this, only the first and the last one are listed."""
FEW_TRAINED = 2
"""The same of a training step, which has several times as many steps."""
LETTERS = {
    "batch": ("b", N_("texts")),
    "head": ("h", N_("heads")),
    "position": ("p", N_("positions (places in the text)")),
    "query": ("q", N_("queries (places that look)")),
    "key": ("k", N_("keys (places that are looked at)")),
    "feature": ("f", N_("features")),
    "vocabulary": ("v", N_("tokens of the vocabulary")),
}
HISTOGRAM = N_(
    "The histogram goes from the smallest number of a step (left) to its largest (right): the stronger a cell, the more"
    " of the numbers lie there."
)
MORE = N_("One step with its numbers: llmtrace show and its name. The residual stream: llmtrace show residual.")
MORE_TRAINED = N_(
    "All steps: --all. One step with its numbers: llmtrace show, the file and the step's name. Where a number came from:"
    " llmtrace explain with --trace and the file."
)


def short_size(step: Step) -> str:
    """`3h×6q×6k`, by the letters of LETTERS."""
    sizes = zip(step.record.shape, step.axes, strict=True)
    return "×".join(f"{size:,}{LETTERS.get(axis, (' ' + axis,))[0]}" for size, axis in sizes) or "1"


def in_bytes(count: int) -> str:
    """A number of bytes to read: `1.2 kB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 99.5 else f"{size:.1f} {unit}"


def size_of(step: Step) -> int:
    """How many bytes a step's numbers take."""
    return int(np.prod(step.record.shape, dtype=np.int64)) * np.dtype(step.record.dtype).itemsize


@dataclass(frozen=True)
class StepList(View):
    """The steps of a trace, a line each. `every`: also those of the blocks in the middle of a long model."""

    trace: Trace
    every: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        total = sum(size_of(step) for step in self.trace.steps)
        text = _("{count} steps, {size} of numbers", count=len(self.trace), size=in_bytes(total))
        yield page.line((self.trace.model or _("a model"), NAME), f": {text}")
        yield from self._rows(page, in_colour(console, options))
        yield page.line((self._legend(), QUIET), hang=0)
        yield page.line((_(HISTOGRAM), QUIET), hang=0)
        yield page.line((_(MORE_TRAINED) if trained(self.trace) else _(MORE), QUIET), hang=0)

    def _rows(self, page: Page, colour: bool) -> Iterator[ConsoleRenderable]:
        found = parts(self.trace)
        left_out = self._left_out(blocks(found))
        listed = [step for part in found if part.block not in left_out for step in self._listed(part)]
        lines = iter(columns_view(page, _columns(listed, colour)))
        yield next(lines)
        skipped = set()
        for part in found:
            if part.block in left_out:
                if part.training not in skipped:
                    text = _("blocks {first} to {last} have the same steps: --all lists them")
                    text = text.format(first=min(left_out), last=max(left_out))
                    yield page.line((f"… {text}", QUIET))
                skipped.add(part.training)
                continue
            yield page.line((part.title, HEADING))
            shown = self._listed(part)
            for _step in shown:
                yield next(lines)
            if rest := len(part.steps) - len(shown):
                text = n_("{count} step on the way", "{count} steps on the way", rest, count=f"{rest:,}")
                yield page.line((f"… {text}", QUIET), indent=2)

    def _listed(self, part: Part) -> list[Step]:
        return part.steps if self.every else part.main

    def _left_out(self, known: list[int]) -> set[int]:
        few = FEW_BLOCKS if not trained(self.trace) else FEW_TRAINED
        return set() if self.every or len(known) <= few else set(known[1:-1])

    def _legend(self) -> str:
        axes = {axis for step in self.trace.steps for axis in step.axes}
        return _(", ").join(f"{letter} {_(words)}" for axis, (letter, words) in LETTERS.items() if axis in axes)

    def to_dict(self) -> dict[str, Any]:
        """All steps with sizes, smallest and largest number, and histogram."""
        return {
            "model": self.trace.model,
            "tokens": list(self.trace.tokens),
            "bytes": sum(size_of(step) for step in self.trace.steps),
            "steps": [step_to_dict(step, part) for part in parts(self.trace) for step in part.steps],
        }


def step_to_dict(step: Step, part: Part | None = None) -> dict[str, Any]:
    """A step without its numbers, but with their spread."""
    data: dict[str, Any] = {
        "name": step.name,
        "op": step.op,
        "inputs": list(step.record.inputs),
        "weights": list(step.record.weights),
        "settings": dict(step.settings),
        "axes": list(step.axes),
        "shape": list(step.record.shape),
        "dtype": step.record.dtype,
        "bytes": size_of(step),
        **spread(step.output).to_dict(),
    }
    return data if part is None else {**data, "block": part.block}


def _columns(steps: list[Step], colour: bool) -> list[Column]:
    spreads = [spread(step.output) for step in steps]
    return [
        Column(_("name"), [step.name for step in steps], style=NAME),
        Column(_("operation"), [step.op for step in steps], rank=5),
        Column(_("shape"), [short_size(step) for step in steps], rank=1),
        Column(_("bytes"), [in_bytes(size_of(step)) for step in steps], right=True, rank=6),
        Column(_("histogram"), [found.picture(colour) for found in spreads], rank=3),
        Column(_("min"), [_number(found.low) for found in spreads], right=True, rank=2),
        Column(_("max"), [_number(found.high) for found in spreads], right=True, rank=2),
    ]


def _number(value: Any) -> str:
    return "" if value is None else rounded(value, 3)
