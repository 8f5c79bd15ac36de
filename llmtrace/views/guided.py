"""A whole Trace as a guided read: first the whole picture, then part by part, down to the table of the next token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any

from llmtrace.display import asked_explain, asked_option
from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.trace import Example, Step, StepKind, Trace, role_of
from llmtrace.views import attention, overview
from llmtrace.views.document import (
    Block,
    Document,
    Group,
    Heading,
    Inline,
    Space,
    Token,
    heading,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.explanation import view as explanation_view
from llmtrace.views.guided_step import entry, numbers, title
from llmtrace.views.next_token import candidates, predicts
from llmtrace.views.next_token import view as next_token
from llmtrace.views.numbers import number
from llmtrace.views.sections import Part, Spot, blocks, parts, spot, strongest, telling, trained
from llmtrace.views.step_list import step_facts

BELOW = N_(
    "Now layer by layer. Each step has its name, what it is, how it is made, and its first numbers for {token}. To see how"
    " any of them was computed, give its name and, in brackets, its place, such as:"
)
STEP = N_(
    "This is a step of training. The loss is {loss} for each token, on average (in nats); the gradient of all weights"
    " together is {norm} long. After the forward come the gradients, from the loss back to the beginning, and the new"
    " weights; those of the weights are shown, and {every} shows all that is between."
)
FOOTER = N_(
    "✓ same bits: what stands below “for example” was computed once more just now, and gave the recorded numbers to the"
    " last bit. The numbers are shown rounded: {exact}, of an explanation, shows all their digits."
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
) -> Document:
    """The run, step by step. `every`: all blocks in detail, an example for every step.

    `layer`: only this block; `head`: only this head of it; `position`: the numbers of the token there, not of the last.
    """
    found = parts(trace)
    known = blocks(found)
    if layer is not None and layer not in known:
        there = _("its blocks are {first} to {last}", first=known[0], last=known[-1]) if known else _("it has none")
        raise AddressError(_("this model has no block {n}; {there}", n=layer, there=there))
    if head is not None:
        _must_have_head(found, layer, head)
    read = _Guided(trace, found, every, min(count, 3), layer, head, spot(trace, position), position)
    return Document(tuple(read.blocks()), lambda: _facts(trace))


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


def _facts(trace: Trace) -> dict[str, Any]:
    """The run without its big arrays: tokens, steps, and the likeliest next tokens."""
    ids = trace.tensor("tokens").tolist() if "tokens" in trace.leaves else []
    if trace.batch:  # shorter texts are filled up
        ids = [row[: len(own)] for row, own in zip(ids, trace.tokens, strict=False)]
    texts = enumerate(zip(ids, trace.tokens, strict=False))
    return {
        "model": trace.origin.model,
        "prompt": trace.origin.text,
        "tokens": [{"position": i, "id": token, "text": text} for i, (token, text) in texts],
        "steps": [step_facts(step) for step in trace.steps],
        "next_token": candidates(trace, spot(trace), 10) if predicts(trace) else [],
    }


@frozen
class _Guided:
    """A trace with what is to be seen of it."""

    trace: Trace
    parts: list[Part]
    every: bool
    count: int
    layer: int | None
    head: int | None
    spot: Spot
    position: int | None
    """The one that was asked for, in every text of a batch that is so long; of others, the last one is seen."""
    _examples: list[str] = field(default_factory=list)
    """The steps of which an example was shown."""

    def blocks(self) -> Iterator[Block]:
        """All of it, from the whole picture to the next token."""
        detailed = self._detailed(blocks(self.parts))
        if self.layer is None:
            yield from self._whole()
        else:
            yield overview.tokens_read(self.trace)
        folded, told = False, set[str]()
        for part in self.parts:
            if self.layer is not None and part.block != self.layer:
                continue
            if part.block is None or part.block in detailed:
                yield from self._part(part, detailed, told)
            elif not folded:
                folded = True
                yield Space()
                yield self._folded([n for n in blocks(self.parts) if n not in detailed])
        if self.layer is None and predicts(self.trace):
            yield Space()
            yield from self._next()
        if self._examples:
            yield Space()
            yield paragraph(quiet(_(FOOTER, exact=asked_option("exact"))), hang=0)

    def _detailed(self, known: list[int]) -> set[int]:
        if self.layer is not None:
            return {self.layer}
        if self.every or len(known) <= FEW_BLOCKS:
            return set(known)
        return {known[0], known[-1]}

    def _texts(self) -> list[int]:
        """The numbers of the texts: more than one only in a batch."""
        return list(range(len(self.trace.tokens))) if self.trace.batch else [0]

    def _in(self, text: int) -> Spot:
        """The token that is looked at in a text."""
        last = spot(self.trace, None, text)
        asked = last.position if self.position is None else self.spot.position
        return replace(self.spot, text=text, position=min(asked, last.position))

    def _whole(self) -> Iterator[Block]:
        """The overview, of each text of a batch, and what follows it."""
        for text in self._texts()[:MOST_TEXTS]:
            if text:
                yield Space()
            if self.trace.batch:
                yield Heading((heading(_("text {number}", number=text)),))
            yield from overview.at(self.trace, self._in(text)).blocks
        if len(self._texts()) > MOST_TEXTS:
            yield paragraph(quiet(_("and {count} texts more", count=len(self._texts()) - MOST_TEXTS)))
        if trained(self.trace):
            yield Space()
            yield paragraph(
                said(_(STEP), loss=self._number("loss"), norm=self._number("norm"), every=asked_option("all", "every")),
                hang=0,
            )
        forward = [step for part in self.parts if not part.training for step in part.steps]
        last = [step for step in forward if step.axes[-1:] == ("feature",) and all(step.record.shape)][-1:]
        token = self.spot.token(self.trace)
        for step in last if token is not None else []:
            yield Space()
            yield paragraph(said(_(BELOW), token=Token(str(token), most=24)), hang=0)
            yield paragraph(asked_explain(telling(self.trace, step.name, self.spot)), indent=2)

    def _number(self, step: str) -> Inline:
        return number(self.trace.tensor(step), address=step) if step in self.trace else "?"

    def _next(self) -> Iterator[Block]:
        for text in self._texts():
            if self.trace.batch:
                yield paragraph(name(_("text {number}", number=text)))
            yield from next_token(self.trace, self._in(text).position, text=text).blocks

    def _part(self, part: Part, detailed: set[int], told: set[str]) -> Iterator[Block]:
        """A part in detail; the words that are the same in every block stand only in the first one, of gradients the last."""
        place = self._spot(part)
        shown = part.steps if self.every or self.head is not None else part.main
        steps = [step for step in shown if self.head is None or "head" in step.axes]
        if not steps:
            return
        first = part.block is None or part.block == (max if part.training else min)(detailed)
        yield Space()
        yield Heading((heading(self._title(part)),))
        new = part.sentence not in told
        told.add(part.sentence)
        if part.sentence and (new or not part.training):
            again = _("As in block {n}, with weights of its own.", n=min(detailed, default=0))
            yield paragraph(part.sentence if first or new else again, hang=0)
        yield from self._numbers_of(part, place, steps)
        for n, step in enumerate(steps):
            if first:
                yield Space()
                yield from entry(step, place, steps[:n])
            else:
                yield title(step)
                yield from numbers(step, place)
            if self.trace.legend.kind(step.name) == StepKind.CROSS_PATTERN:
                yield Group(tuple(attention.maps(step, place.head, text=place.text)), 4)
            if self._is_example(step, first):
                self._examples.append(step.name)
                yield paragraph(quiet(_("for example:")), indent=4)
                explained = self.trace.explain(telling(self.trace, step.name, place))
                yield Group(explanation_view(explained, count=self.count, ending=False).blocks, 6)

    def _spot(self, part: Part) -> Spot:
        """The token, and in a block its head: the one that was asked for, or the one that looks most at one token."""
        if self.head is not None:
            return replace(self.spot, head=self.head)
        look = None if part.block is None or part.training else strongest(self.trace, part.block, self.spot)
        return self.spot if look is None else replace(self.spot, head=look.head)

    def _title(self, part: Part) -> str:
        return part.title if self.head is None else _("{part}, head {head}", part=part.title, head=self.head)

    def _numbers_of(self, part: Part, place: Spot, steps: list[Step]) -> Iterator[Block]:
        """Whose numbers are shown, where a reader may wonder."""
        if self.head is None and any("head" in step.axes for step in steps):
            text = _("Numbers shown: those of {token} at place {place}, in head {head} (it looks most at one token).")
        elif self.layer is not None:
            text = _("Numbers shown: those of {token} at place {place}.")
        else:
            return
        if all("source" in step.axes for step in steps):
            text, axis, at = _("Numbers shown: those of {token} at place {place}."), "source", 0
        else:
            axis, at = "key", self.trace.past + place.position
        found = self.trace.label(axis, at, place.text if self.trace.batch else None)
        token: Inline = _("the token") if found is None else Token(found, most=24)
        yield paragraph(said(text, "quiet", token=token, place=at, head=place.head), hang=0)

    def _is_example(self, step: Step, first: bool) -> bool:
        if not step.record.shape or not all(step.record.shape):
            return False
        if self.every or self.head is not None:
            return True
        role = role_of(self.trace, step.name)
        if role is not None:
            layer, _dot, weight = role.base.rpartition(".")
            inputs = weight == "weight" and self.trace.legend.kind(layer) == StepKind.NEURON_INPUTS
            return role.kind == "norm" or (first and inputs)
        found = self.trace.legend.of(step.name)
        example = found.words.example if found else Example.NEVER
        return example == Example.ALWAYS or (first and example == Example.FIRST)

    def _folded(self, numbers: list[int]) -> Block:
        """One line for the blocks in the middle."""
        text = _("Blocks {first} to {last} work in the same way: {layer} shows the first of them, {every} all.")
        ways = {"layer": asked_option("layer", value=numbers[0]), "every": asked_option("all", "every")}
        return Heading((heading(text.format(first=numbers[0], last=numbers[-1], **ways)),), hang=0)
