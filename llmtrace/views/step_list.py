"""All steps of a trace in a list: their sizes, and how their numbers are spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.explain.not_finite import counted
from llmtrace.i18n import N_, _, clauses, n_
from llmtrace.text import as_size
from llmtrace.trace import Step, Trace
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Table,
    heading,
    label,
    name,
    paragraph,
    quiet,
)
from llmtrace.views.histogram import spread
from llmtrace.views.not_finite import warned
from llmtrace.views.numbers import number
from llmtrace.views.sections import Part, parts, trained
from llmtrace.views.sections import blocks as blocks_of
from llmtrace.views.view import View

FEW_BLOCKS = 4
"""Of models with more blocks than this, only the first and the last one are listed."""
FEW_TRAINED = 2
"""As FEW_BLOCKS, for a training step, which has several times as many steps."""
LETTERS = {
    "batch": ("b", N_("texts")),
    "head": ("h", N_("heads")),
    "position": ("p", N_("positions (places in the text)")),
    "query": ("q", N_("queries (places that look)")),
    "key": ("k", N_("keys (places that are looked at)")),
    "feature": ("f", N_("features")),
    "source": ("s", N_("tokens of the source")),
    "source_key": ("s′", N_("tokens of the source that are looked at")),
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


def size_of(step: Step) -> int:
    """How many bytes a step's numbers take."""
    return int(np.prod(step.record.shape, dtype=np.int64)) * np.dtype(step.record.dtype).itemsize


def view(trace: Trace, *, every: bool = False) -> Document:
    """The steps of a trace, a line each. `every`: also those of the blocks in the middle of a long model."""
    found = parts(trace)
    total = sum(size_of(step) for step in trace.steps)
    text = _("{count} steps, {size} of numbers", count=len(trace), size=as_size(total))
    more = _(MORE_TRAINED) if trained(trace) else _(MORE)
    blocks = (
        Heading((name(trace.model or _("a model")), f"{label('')}{text}"), 1),
        *warned(trace),
        paragraph(quiet(_legend(trace)), hang=0),
        _table(found, every, set() if every else _left_out(trace, blocks_of(found))),
        paragraph(quiet(more), hang=0),
    )
    return Document(blocks, lambda: _facts(trace, found, total))


def _facts(trace: Trace, found: list[Part], total: int) -> dict[str, Any]:
    """All steps with sizes, smallest and largest number, and histogram."""
    steps = [{**step_facts(step), "block": part.block} for part in found for step in part.steps]
    return {"model": trace.model, "tokens": trace.tokens, "bytes": total, "steps": steps}


def _table(found: list[Part], every: bool, left_out: set[int]) -> Table:
    """The steps of all parts but those left out, each part under its title."""
    steps: list[Step] = []
    between: list[tuple[int, Block]] = []
    skipped: set[bool] = set()
    for part in found:
        if part.block in left_out:
            if part.training not in skipped:
                text = _("blocks {first} to {last} have the same steps: --all lists them")
                text = text.format(first=min(left_out), last=max(left_out))
                between.append((len(steps), paragraph(quiet(f"… {text}"))))
            skipped.add(part.training)
            continue
        between.append((len(steps), Heading((heading(part.title),))))
        steps += (shown := part.steps if every else part.main)
        if rest := len(part.steps) - len(shown):
            text = n_("{count} step on the way", "{count} steps on the way", rest, count=f"{rest:,}")
            between.append((len(steps), paragraph(quiet(f"… {text}"), indent=2)))
    return Table(_columns(steps), tuple(between))


def _left_out(trace: Trace, known: list[int]) -> set[int]:
    """The blocks in the middle of a model with many."""
    return set() if len(known) <= (FEW_TRAINED if trained(trace) else FEW_BLOCKS) else set(known[1:-1])


def _legend(trace: Trace) -> str:
    axes = {axis for step in trace.steps for axis in step.axes}
    return clauses(f"{letter} {_(words)}" for axis, (letter, words) in LETTERS.items() if axis in axes)


def step_facts(step: Step) -> dict[str, Any]:
    """A step without its numbers, but with how they are distributed."""
    record = step.record
    return {
        "name": step.name,
        "op": step.op,
        "inputs": record.inputs,
        "weights": record.weights,
        "settings": dict(step.settings),
        "axes": step.axes,
        "shape": record.shape,
        "dtype": record.dtype,
        "bytes": size_of(step),
        **vars(spread(step.output)),
    }


NOTHING = np.zeros(0)
"""What is told of whole numbers in place of their smallest, largest and spread: they are names of tokens and places."""


def _columns(steps: list[Step]) -> tuple[Column, ...]:
    spreads = [spread(step.output if step.output.dtype.kind == "f" else NOTHING) for step in steps]
    lows, highs = (tuple(map(_number, ends)) for ends in ([s.smallest for s in spreads], [s.largest for s in spreads]))
    return (
        Column(_("name"), tuple(step.name for step in steps), role="name"),
        Column(_("operation"), tuple(step.op for step in steps), rank=5),
        *_not_finite(steps),
        Column(_("shape"), tuple(short_size(step) for step in steps)),
        Column(_("bytes"), tuple(as_size(size_of(step)) for step in steps), "right", rank=6),
        Column(_("histogram"), tuple(found.picture for found in spreads), rank=3, notes=(_(HISTOGRAM),)),
        Column(_("min"), lows, "right", rank=2),
        Column(_("max"), highs, "right", rank=2),
    )


def _not_finite(steps: list[Step]) -> Iterator[Column]:
    """How many numbers of each step are NaN or infinite, where some are."""
    cells = tuple(counted(step.output, step) for step in steps)
    if any(cells):
        yield Column(_("not finite"), cells, role="wrong")


def _number(value: Any) -> Inline:
    return "" if value is None else number(value, 3)


VIEW = View(
    accepts=lambda trace, name, given: name is None,
    build=lambda trace, name, every: view(trace, every=every),
)
