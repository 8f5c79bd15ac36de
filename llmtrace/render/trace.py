"""A whole Trace on a page: what happens to the prompt, part by part, down to the table of the next token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.errors import AddressError
from llmtrace.ops.op import Array
from llmtrace.render.explanation import SAME
from llmtrace.render.explanation import view as explanation_view
from llmtrace.render.inert import quoted
from llmtrace.render.next_token import next_token_view
from llmtrace.render.page import HEADING, NAME, QUIET, VALUE, Indented, Page
from llmtrace.render.parts import Part, blocks, examples, parts
from llmtrace.render.shapes import preview, sizes, some
from llmtrace.render.step import last_row, source_of
from llmtrace.trace import Step, Trace
from llmtrace.words import N_, _

FOOTER = N_(
    "The numbers are shown rounded. How any of them was computed, to the last digit: llmtrace explain with its name and"
    ' place, as they stand behind "for example".'
)
FEW_BLOCKS = 4
"""Models with more blocks than this are shown in detail only where they begin and end."""


def view(trace: Trace, *, every: bool = False, count: int = 3, layer: int | None = None) -> ConsoleRenderable:
    """The run as Rich prints it. `layer`: only this block; `every`: all blocks in detail, an example for every step."""
    known = blocks(parts(trace))
    if layer is not None and layer not in known:
        there = (
            _("its blocks are {first} to {last}").format(first=known[0], last=known[-1]) if known else _("it has none")
        )
        raise AddressError(_("this model has no block {n}; {there}").format(n=layer, there=there))
    return TraceView(trace, every, min(count, 3), layer)


@dataclass(frozen=True)
class TraceView:
    """A Trace that Rich can print."""

    trace: Trace
    every: bool = False
    count: int = 3
    layer: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options, self.count)
        found = parts(self.trace)
        detailed = self._detailed(blocks(found))
        yield from self._beginning(page)
        for part in found:
            if self.layer is None or part.block == self.layer:
                yield page.text()
                short = part.block is not None and part.block not in detailed
                yield from self._brief(part, page) if short else self._part(part, page, detailed)
        if self.layer is None:
            yield page.text()
            yield from next_token_view(self.trace, page)
        yield page.text()
        yield page.line((_(SAME), QUIET))
        yield page.line((_(FOOTER), QUIET))

    def _detailed(self, known: list[int]) -> set[int]:
        if self.every or self.layer is not None or len(known) <= FEW_BLOCKS:
            return set(known)
        return {known[0], known[-1]}

    def _beginning(self, page: Page) -> Iterator[ConsoleRenderable]:
        trace = self.trace
        model = trace.origin.model or _("The model")
        batch = bool(trace.tokens) and isinstance(trace.tokens[0], list)
        for tokens in trace.tokens if batch else [trace.tokens]:
            text = _("{model} reads {count} tokens:").format(model=model, count=len(tokens))
            shown = (quoted(tokens[i], 24) if i is not None else "…" for i in some(len(tokens), 40))
            yield page.line((text, NAME), f" {' '.join(shown)}")

    def _part(self, part: Part, page: Page, detailed: set[int]) -> Iterator[ConsoleRenderable]:
        yield page.line((part.title, HEADING))
        if part.sentence and part.block in {None, self.layer, *sorted(detailed)[:1]}:
            yield page.line(part.sentence, hang=0)
        for step in part.steps:
            yield from _entry(step, page)
        first = self.layer is not None or part.block == min(detailed, default=None)
        for address in examples(self.trace, part, first, self.every):
            yield page.text()
            yield page.line((_("for example:"), QUIET), indent=2)
            explained = explanation_view(self.trace.explain(address), count=self.count, ending=False)
            yield Indented(explained, 4)

    def _brief(self, part: Part, page: Page) -> Iterator[ConsoleRenderable]:
        yield page.line((part.title, HEADING), (f"   ({_('all of it: --layer {n}').format(n=part.block)})", QUIET))
        width = max(cell_len(step.name) for step in part.steps)
        for step in part.steps:
            size = sizes(step.record.shape, step.axes)
            yield page.line((step.name.ljust(width), NAME), f"  {size}", indent=2, hang=4)


def _entry(step: Step, page: Page) -> Iterator[ConsoleRenderable]:
    """What came in, which weights, what came out, of one step."""
    yield page.line((step.name, NAME), " = ", (sizes(step.record.shape, step.axes), VALUE), indent=2)
    weights = [_weight(step, name, source_of(step).shape(name)) for name in step.weights]
    used = "; " + _("weights: {names}").format(names=", ".join(weights)) if weights else ""
    yield page.line(f"{step.op}({', '.join(step.record.inputs)}){used}", indent=4)
    if step.record.shape and step.output.size:
        place, row = last_row(step)
        room = page.width - 4 - cell_len(page.plain(place)) - 3
        yield page.line((f"{place}:  ", QUIET), f"{preview(row, max(room, 24))}{_winner(step, row)}", indent=4)


def _winner(step: Step, row: Array) -> str:
    """The token that an argmax has found."""
    source = source_of(step)
    axis = source.axes(step.record.inputs[0])[-1]
    token = source.label(axis, int(row[0])) if step.op == "argmax" else None
    return f" {quoted(token, 24)}" if token is not None else ""


def _weight(step: Step, name: str, shape: tuple[int, ...]) -> str:
    """A weight with its size; one that is named after its step by the last part of its name."""
    return f"{name.removeprefix(step.name + '.')} {' × '.join(f'{size:,}' for size in shape)}"
