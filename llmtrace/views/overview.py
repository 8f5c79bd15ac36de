"""The whole run in one screen: what happens to the row of one token, from the embedding to the next token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from llmtrace.display import asked_option
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _, n_
from llmtrace.trace import StepKind, Trace
from llmtrace.views import unknown_words
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Document,
    Inline,
    Number,
    Paragraph,
    Phrase,
    Space,
    Table,
    TableEnd,
    Text,
    Token,
    Tokens,
    paragraph,
    places,
    quiet,
    said,
)
from llmtrace.views.next_token import candidates, predicts
from llmtrace.views.not_finite import warned
from llmtrace.views.numbers import numbers, percent
from llmtrace.views.residual_stream import norms
from llmtrace.views.sections import Look, Spot, block_of, blocks, parts, row, spot, strongest

GOING_ON = N_(
    "Each token is a row of {width} numbers. In every block, attention adds to it what it takes from earlier tokens, and"
    " the MLP what it makes of the row. At the end, the row of {token} at place {place} becomes the probabilities of the next"
    " token."
)
TWO_TEXTS = N_(
    "Each token is a row of {width} numbers. The encoder reads the whole source; the decoder writes one token after the other,"
    " looks back at what it has written, and in every block at the source. At the end, the row of {token} at place {place}"
    " becomes the probabilities of the next token."
)
LENGTHS = N_("Numbers are the lengths of rows (norms).")
DIRECTIONS = N_(
    "They do not add up, because the parts point in different directions, as 3"
    " steps east and 4 steps north take you only 5 steps away."
)
NORMS_BETWEEN = N_("They do not add up, because layer norm follows every sum.")
ATTENTION_MOST = N_("The attention of block {block} adds most.")
CROSS_MOST = N_("The source, in block {block}, adds most.")
MLP_MOST = N_("The MLP of block {block} adds most.")
THEN = N_("{before} {after}")
"""Two sentences."""
MOST_BLOCKS = 12
"""Of models with more blocks than this, the first and the last ones have a line each."""
SCREENFUL = 11
"""With more lines than this, what is said under them is short."""
BAR = 6
ADDING = (
    (StepKind.AFTER_ATTENTION, StepKind.ATTENTION_SUM),
    (StepKind.CROSS_SUM,),
    (StepKind.AFTER_MLP, StepKind.MLP_SUM),
)
"""The sums by which attention, attention to a source and the MLP add their parts."""
ENDS = (StepKind.BLOCK_END, StepKind.AFTER_MLP)


@frozen
class Stage:
    """One line: the row of the token after a stage, and what has changed it there."""

    stage: str
    block: int | None = None
    looks_at: Look | None = None
    attention_adds: Any = None
    source_adds: Any = None
    mlp_adds: Any = None
    norm: Any = None

    @property
    def added(self) -> tuple[Any, Any, Any]:
        """What attention, attention to the source, and the MLP have added."""
        return self.attention_adds, self.source_adds, self.mlp_adds


def tokens_read(trace: Trace, text: int = 0) -> Paragraph:
    """`storyteller reads 6 tokens: 'The' ' king' …`, of a long text only its beginning and end, on two lines at most."""
    past = trace.past
    tokens = (trace.tokens[text] if trace.batch else trace.tokens)[past:]
    count, model = len(tokens), trace.origin.model or _("The model")
    if past:
        said = n_("{model} reads {count} token, after {past}:", "{model} reads {count} tokens, after {past}:", count)
    else:
        said = n_("{model} reads {count} token:", "{model} reads {count} tokens:", count)
    said = said.format(model=model, count=count, past=past)
    return paragraph(*_headed(said), Tokens(tuple(tokens), most=24, lines=2))


def source_read(trace: Trace, text: int = 0) -> Iterator[Block]:
    """`The source: 'Wo' ' wohnst' …`, where there is one."""
    if "source" in trace.leaves:
        count, batch = trace.shape("source")[-1], text if trace.batch else None
        tokens = tuple(str(trace.label("source", i, batch)) for i in range(count))
        yield paragraph(*_headed(_("Source:")), Tokens(tokens, most=24, lines=2))


def _headed(said: str) -> tuple[Inline, ...]:
    """What stands before tokens; no space follows a full-width mark."""
    return (Text(said, "name"),) if said.endswith("：") else (Text(said, "name"), " ")


def view(trace: Trace, position: int | None = None, *, text: int = 0) -> Document:
    """What each block does to the row of one token: at `position` (the last, if none is given), in which `text` of a batch."""
    return at(trace, spot(trace, position, text))


def at(trace: Trace, place: Spot) -> Document:
    """What each block does to the row of the token at a place."""
    overview = Overview(trace, place)
    return Document(tuple(overview.blocks()), overview.facts)


class Overview:
    """What happens to the row of the token at a spot."""

    def __init__(self, trace: Trace, place: Spot) -> None:
        self.trace, self.spot = trace, place
        self.stages = list(self._stages())

    def _stages(self) -> Iterator[Stage]:
        """The embedding, every block, the final norm: those of them that the trace has."""
        kinds = {*ENDS, *chain.from_iterable(ADDING)}
        steps = {self._place(name): name for name in self.trace.of_kind(*kinds)}
        for name in self.trace.of_kind(StepKind.ENTRY):
            yield Stage(_("embedding"), norm=self._norm(name))
        for n in blocks(parts(self.trace)):
            attention, source, mlp = (self._added([steps.get((kind, n)) for kind in kinds]) for kinds in ADDING)
            end = next((steps[kind, n] for kind in ENDS if (kind, n) in steps), None)
            looks_at = strongest(self.trace, n, self.spot)
            yield Stage(_("block {n}", n=n), n, looks_at, attention, source, mlp, self._norm(end))
        for name in self.trace.of_kind(StepKind.FINAL_NORM):
            yield Stage(_("final norm"), norm=self._norm(name))

    def _added(self, sums: list[str | None]) -> Any:
        """How long the row is that the first of these sums has added; None where there is none."""
        steps = (self.trace[name] for name in sums if name is not None)
        return next((self._norm(step.record.inputs[1]) for step in steps if step.op == "add"), None)

    def _place(self, name: str) -> tuple[StepKind | None, int]:
        """What a step is for, and in which block."""
        return self.trace.legend.kind(name), block_of(self.trace, name) or 0

    def _norm(self, name: str | None) -> Any:
        return None if name is None else norms(row(self.trace, name, self.spot))[()]

    def _token(self, place: int | None = None, most: int = 24, axis: str = "key") -> Inline:
        """`'C' (5)`: a token, by its place in the whole text; that of the overview itself, if none is given."""
        batch = self.spot.text if self.trace.batch else None
        place = self.trace.past + self.spot.position if place is None else place
        token = self.trace.label(axis, place, batch)
        return _("token {place}", place=place) if token is None else Phrase((Token(token, most=most), f" ({place})"))

    def blocks(self) -> Iterator[Block]:
        """What is seen."""
        if self.trace.tokens:
            yield from source_read(self.trace, self.spot.text)
            yield tokens_read(self.trace, self.spot.text)
            yield from unknown_words.note(self.trace, self.spot.text)
        yield from warned(self.trace)
        if not self.stages:
            return
        width = next((self.trace.shape(name)[-1] for name in self.trace.of_kind(StepKind.ENTRY)), 0)
        if width:
            place, token = self.trace.past + self.spot.position, self.spot.token(self.trace)
            name: Inline = _("the token") if token is None else Token(token, most=12)
            going_on = TWO_TEXTS if self.trace.of_kind(StepKind.CROSS_PATTERN) else GOING_ON
            yield paragraph(said(_(going_on), width=f"{width:,}", token=name, place=place), hang=0)
        yield Space()
        yield self._table()

    def _table(self) -> Table:
        found = self.stages
        inside = [n for n, stage in enumerate(found) if stage.block is not None]
        first = inside[0] if inside else 0
        middle = [None if i is None else first + i for i in places(len(inside), MOST_BLOCKS)]
        shown = [*range(first), *middle, *range(first + len(inside), len(found))]
        between: list[tuple[int, Block]] = []
        if None in shown:
            left = [found[first + i].block for i in range(len(inside)) if first + i not in shown]
            text = _("{count} blocks more: {first} to {last}")
            text = text.format(
                count=len(left), first=asked_option("layer", value=left[0]), last=asked_option("layer", value=left[-1])
            )
            between.append((shown.index(None), paragraph(quiet(f"…  {text}"), hang=3)))
        columns = self._columns([found[n] for n in shown if n is not None])
        return Table(columns, tuple(between), self._next(), indent=0)

    def _columns(self, rows: list[Stage]) -> tuple[Column, ...]:
        changes = [float(value) for stage in rows for value in stage.added if value is not None]
        top = max((value for value in changes if np.isfinite(value)), default=0.0)
        looks = [self._looks(stage.looks_at) for stage in rows]
        title = said(_("{token} looks most at"), token=self._token(most=self._most_of_token))
        lengths, (attention, source, mlp) = self._note(), self._most()
        names = Column("", tuple(stage.stage for stage in rows), role="name")
        seen = (Column(title, tuple(looks), rank=1),) if any(looks) else ()
        if seen and not any(stage.mlp_adds is not None for stage in rows):
            return names, *seen
        changed = (
            (_("attention adds"), [stage.attention_adds for stage in rows], attention),
            (_("source adds"), [stage.source_adds for stage in rows], source),
            (_("MLP adds"), [stage.mlp_adds for stage in rows], mlp),
        )
        return (
            names,
            *seen,
            *(
                _change(title, values, top, (lengths, most))
                for title, values, most in changed
                if any(value is not None for value in values)
            ),
            Column(_("row length"), _sizes([stage.norm for stage in rows]), "right", rank=3, notes=(lengths,)),
        )

    def _looks(self, look: Look | None) -> Inline:
        if look is None:
            return ""
        share = percent(look.share, 2)
        return said(
            _("{token} {share}, head {head}"),
            token=self._token(look.key, self._most_of_token, look.axis),
            share=share,
            head=look.head,
        )

    def _next(self) -> tuple[TableEnd, ...]:
        """The likeliest next tokens."""
        if not predicts(self.trace):
            return ()
        likely = candidates(self.trace, self.spot, 3)
        items = tuple((Token(each.text), percent(each.probability, 3)) for each in likely)
        return (TableEnd(_("next token"), items),)

    @property
    def _most_of_token(self) -> int:
        """How much of a token is seen in the table."""
        return 10 if len(self.stages) <= SCREENFUL else 7

    def _note(self) -> str:
        """What the lengths are."""
        short = len(self.stages) > SCREENFUL  # no room on one screen
        why = _(NORMS_BETWEEN if self.trace.of_kind(StepKind.BLOCK_END) else DIRECTIONS)
        return _(LENGTHS) if short else _(THEN, before=_(LENGTHS), after=why)

    def _most(self) -> list[str]:
        """Which change is the largest, if there are any: said of attention, of the source, or of the MLP."""
        said = ATTENTION_MOST, CROSS_MOST, MLP_MOST
        changes = [
            (float(value), stage.block, what)
            for stage in self.stages
            for value, what in zip(stage.added, said, strict=True)
            if value is not None and np.isfinite(value)
        ]
        if not changes:
            return [""] * len(said)
        _size, block, most = max(changes, key=lambda change: change[0])
        return [_(most, block=block) if what == most else "" for what in said]

    def facts(self) -> dict[str, Any]:
        """All stages, and the likeliest next tokens."""
        likely = candidates(self.trace, self.spot, 3) if predicts(self.trace) else []
        token = self.spot.token(self.trace)
        return {"position": self.spot.position, "text": token, "stages": self.stages, "next_token": likely}


def _change(title: str, values: list[Any], top: float, notes: tuple[str, ...]) -> Column:
    """How long what was added is, with a bar."""
    cells = (
        "" if value is None else Phrase((size, " ", Bar(float(value) / top if top else 0.0, BAR)))
        for value, size in zip(values, _sizes(values), strict=True)
    )
    return Column(title, tuple(cells), "number", rank=2, role="value", notes=notes)


def _sizes(values: list[Any]) -> tuple[Inline, ...]:
    """Norms under each other, with the same number of decimals; nothing where there is none."""
    known = [value for value in values if value is not None]
    sizes = np.abs([float(value) for value in known])
    least, top = np.min(sizes[sizes > 0], initial=np.inf), np.max(sizes, initial=0.0)
    if 1e-3 <= least < np.inf and top < 1e6:
        decimals = max(0, 1 - math.floor(math.log10(least)))
        made = iter([Number(value, f"{size:.{decimals}f}") for value, size in zip(known, sizes, strict=True)])
    else:
        made = iter(numbers(known, 2))
    return tuple("" if value is None else next(made) for value in values)
