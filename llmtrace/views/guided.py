"""A whole Trace as a guided read: first the whole picture, then part by part, down to the table of the next token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.errors import AddressError
from llmtrace.i18n import N_, _
from llmtrace.render import as_renderable
from llmtrace.render.terminal.layout import HEADING, NAME, QUIET, Indented, Page
from llmtrace.text import quoted
from llmtrace.trace import Step, Trace, role_of
from llmtrace.views.explanation import view as explanation_view
from llmtrace.views.guided_step import entry, numbers, title
from llmtrace.views.next_token import Predictions, predicts
from llmtrace.views.numbers import rounded
from llmtrace.views.overview import Overview, tokens_read
from llmtrace.views.sections import Part, Spot, blocks, parts, spot, strongest, telling, trained

BELOW = N_(
    "Now layer by layer. Each step has its name, what it is, how it is made, and its first numbers for {token}. To see how"
    " any of them was computed, give llmtrace explain the name and, in brackets, the place, such as:"
)
STEP = N_(
    "This is a step of training. The loss is {loss} for each token, on average (in nats); the gradient of all weights"
    " together is {norm} long. After the forward come the gradients, from the loss back to the beginning, and the new"
    " weights; those of the weights are shown, and --all shows all that is between."
)
FOOTER = N_(
    "✓ same bits: what stands below “for example” was computed once more just now, and gave the recorded numbers to the"
    " last bit. The numbers are shown rounded: llmtrace explain with --exact shows all their digits."
)
FEW_BLOCKS = 4
"""Models with more blocks than this are shown in detail only where they begin and end."""
MOST_TEXTS = 4
"""Of larger batches, only so many texts have an overview of their own."""


def view(
    trace: Trace,
    *,
    every: bool = False,
    count: int = 3,
    layer: int | None = None,
    head: int | None = None,
    position: int | None = None,
) -> ConsoleRenderable:
    """The run as Rich prints it. `every`: all blocks in detail, an example for every step.

    `layer`: only this block; `head`: only this head of it; `position`: the numbers of the token there, not of the last.
    """
    found = parts(trace)
    known = blocks(found)
    if layer is not None and layer not in known:
        there = _("its blocks are {first} to {last}", first=known[0], last=known[-1]) if known else _("it has none")
        raise AddressError(_("this model has no block {n}; {there}", n=layer, there=there))
    if head is not None:
        _must_have_head(found, layer, head)
    return TraceView(trace, every, min(count, 3), layer, head, spot(trace, position))


def _must_have_head(found: list[Part], layer: int | None, head: int) -> None:
    known = blocks(found)
    if layer is None:
        there = _("its blocks are {first} to {last}", first=known[0], last=known[-1]) if known else ""
        raise AddressError(_("--head {n} needs --layer as well, the block of the head; {there}", n=head, there=there))
    sizes = [
        dict(zip(step.axes, step.record.shape, strict=True)).get("head", 0)
        for part in found
        for step in part.steps
        if part.block == layer
    ]
    if head >= max(sizes, default=0):
        raise AddressError(
            _(
                "{name} has no head {head}; its heads are 0 to {last}",
                name=_("block {n}", n=layer),
                head=head,
                last=max(sizes, default=0) - 1,
            )
        )


@dataclass(frozen=True)
class TraceView:
    """A Trace that Rich can print."""

    trace: Trace
    every: bool
    count: int
    layer: int | None
    head: int | None
    spot: Spot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options, self.count)
        found = parts(self.trace)
        detailed = self._detailed(blocks(found))
        if self.layer is None:
            yield from self._whole(page)
        else:
            yield tokens_read(self.trace, page)
        folded, said = False, set[str]()
        for part in found:
            if self.layer is not None and part.block != self.layer:
                continue
            if part.block is None or part.block in detailed:
                yield from self._part(part, page, detailed, said)
            elif not folded:
                folded = True
                yield page.text()
                yield from self._folded([n for n in blocks(found) if n not in detailed], page)
        if self.layer is None and predicts(self.trace):
            yield page.text()
            yield from self._next(page)
        yield page.text()
        yield page.line((_(FOOTER), QUIET), hang=0)

    def _detailed(self, known: list[int]) -> set[int]:
        if self.layer is not None:
            return {self.layer}
        if self.every or len(known) <= FEW_BLOCKS:
            return set(known)
        return {known[0], known[-1]}

    def _texts(self) -> list[int]:
        """The numbers of the texts: more than one only in a batch."""
        return list(range(len(self.trace.tokens))) if self._batch else [0]

    @property
    def _batch(self) -> bool:
        return self.trace.batch

    def _whole(self, page: Page) -> Iterator[ConsoleRenderable]:
        """The overview, of each text of a batch, and what follows it."""
        for text in self._texts()[:MOST_TEXTS]:
            if text:
                yield page.text()
            if self._batch:
                yield page.line((_("text {number}", number=text), HEADING))
            yield Overview(self.trace, self.spot.position, text)
        if len(self._texts()) > MOST_TEXTS:
            yield page.line((_("and {count} texts more", count=len(self._texts()) - MOST_TEXTS), QUIET))
        if trained(self.trace):
            loss, norm = (rounded(self.trace.tensor(name)) if name in self.trace else "?" for name in ("loss", "norm"))
            yield page.text()
            yield page.line(_(STEP, loss=loss, norm=norm), hang=0)
        forward = [step for part in parts(self.trace) if not part.training for step in part.steps]
        last = [step for step in forward if step.axes[-1:] == ("feature",) and all(step.record.shape)][-1:]
        token = self.spot.token(self.trace)
        for step in last if token is not None else []:
            yield page.text()
            yield page.line(_(BELOW, token=quoted(str(token), 24)), hang=0)
            yield page.line(f'llmtrace explain "{telling(self.trace, step.name, self.spot)}"', indent=2)

    def _next(self, page: Page) -> Iterator[ConsoleRenderable]:
        for text in self._texts():
            if self._batch:
                yield page.line((_("text {number}", number=text), NAME))
            yield Predictions(self.trace, self.spot.position, text=text)

    def _part(self, part: Part, page: Page, detailed: set[int], told: set[str]) -> Iterator[ConsoleRenderable]:
        """A part in detail; the words that are the same in every block stand only in the first one, of gradients the last."""
        place = self._spot(part)
        shown = part.steps if self.every or self.head is not None else part.main
        steps = [step for step in shown if self.head is None or "head" in step.axes]
        if not steps:
            return
        first = part.block is None or part.block == (max if part.training else min)(detailed)
        yield page.text()
        yield page.line((self._title(part), HEADING))
        new = part.sentence not in told
        told.add(part.sentence)
        if part.sentence and (new or not part.training):
            again = _("As in block {n}, with weights of its own.", n=min(detailed, default=0))
            yield page.line(part.sentence if first or new else again, hang=0)
        said = self._numbers_of(part, place, steps)
        if said:
            yield page.line((said, QUIET), hang=0)
        for n, step in enumerate(steps):
            if first:
                yield page.text()
                yield from entry(step, place, page, steps[:n])
            else:
                yield title(step, page)
                yield from numbers(step, place, page)
            if self._is_example(step, first):
                yield page.line((_("for example:"), QUIET), indent=4)
                address = telling(self.trace, step.name, place)
                yield Indented(
                    as_renderable(explanation_view(self.trace.explain(address), count=self.count, ending=False)), 6
                )

    def _spot(self, part: Part) -> Spot:
        """The token, and in a block its head: the one that was asked for, or the one that looks most at one token."""
        if self.head is not None:
            return replace(self.spot, head=self.head)
        look = None if part.block is None or part.training else strongest(self.trace, part.block, self.spot)
        return self.spot if look is None else replace(self.spot, head=look.head)

    def _title(self, part: Part) -> str:
        return part.title if self.head is None else _("{part}, head {head}", part=part.title, head=self.head)

    def _numbers_of(self, part: Part, place: Spot, steps: list[Step]) -> str:
        """Whose numbers are shown, where a reader may wonder."""
        token = place.token(self.trace)
        name = _("the token") if token is None else quoted(token, 24)
        if self.head is None and any("head" in step.axes for step in steps):
            text = _("Numbers shown: those of {token} at place {place}, in head {head} (it looks most at one token).")
        elif self.layer is not None:
            text = _("Numbers shown: those of {token} at place {place}.")
        else:
            return ""
        return text.format(token=name, place=self.trace.past + place.position, head=place.head)

    def _is_example(self, step: Step, first: bool) -> bool:
        last = step.name.rpartition(".")[2]
        if not step.record.shape or not all(step.record.shape):
            return False
        if self.every or self.head is not None:
            return True
        role = role_of(self.trace, step.name)
        if role is not None:
            return role.kind == "norm" or (first and role.base.endswith("mlp.up.weight"))
        return last in {"embed", "losses", "scores", "up", "logits", "probabilities"} or (
            first and last in {"ln_1", "act"}
        )

    def _folded(self, numbers: list[int], page: Page) -> Iterator[ConsoleRenderable]:
        """One line for the blocks in the middle."""
        text = _("Blocks {first} to {last} work in the same way: --layer {first} shows the first of them, --all all.")
        yield page.line((text.format(first=numbers[0], last=numbers[-1]), HEADING), hang=0)
