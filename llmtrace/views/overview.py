"""The whole run in one screen: what happens to the row of one token, from the embedding to the next token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.lines import to_plain
from llmtrace.i18n import N_, _, n_
from llmtrace.render.notebook import View
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page
from llmtrace.render.terminal.table import GAP, NARROW, NARROW_GAP, Column, columns_view, left
from llmtrace.text import quoted
from llmtrace.trace import Trace
from llmtrace.views.grid import some
from llmtrace.views.next_token import Predictions, bar, percent, predicts
from llmtrace.views.numbers import column
from llmtrace.views.residual_stream import norms, stages
from llmtrace.views.sections import Look, Spot, blocks, parts, row, spot, strongest

GOING_ON = N_(
    "Each token is a row of {width} numbers. In every block, attention adds to it what it takes from earlier tokens, and"
    " the MLP what it makes of the row. At the end, the row of {token} at place {place} becomes the probabilities of the next"
    " token."
)
LENGTHS = N_("Numbers are the lengths of rows (norms).")
DIRECTIONS = N_(
    "They do not add up, because the parts point in different directions, as 3"
    " steps east and 4 steps north take you only 5 steps away."
)
ATTENTION_MOST = N_("The attention of block {block} adds most.")
MLP_MOST = N_("The MLP of block {block} adds most.")
THEN = N_("{before} {after}")
"""Two sentences."""
MOST_BLOCKS = 12
"""Of models with more blocks than this, the first and the last ones have a line each."""
SCREENFUL = 11
"""With more lines than this, what is said under them is short."""
BAR = 6


@dataclass(frozen=True)
class Stage:
    """One line: the row of the token after a stage, and what has changed it there."""

    title: str
    norm: Any = None
    looks: Look | None = None
    attention: Any = None
    mlp: Any = None
    block: int | None = None


def tokens_read(trace: Trace, page: Page, text: int = 0) -> ConsoleRenderable:
    """`storyteller reads 6 tokens: 'The' ' king' …`, of a long text only its beginning and end, on two lines at most."""
    batch = trace.batch
    past = trace.past
    tokens = (trace.tokens[text] if batch else trace.tokens)[past:]
    count, model = len(tokens), trace.origin.model or _("The model")
    if past:
        said = n_("{model} reads {count} token, after {past}:", "{model} reads {count} tokens, after {past}:", count)
    else:
        said = n_("{model} reads {count} token:", "{model} reads {count} tokens:", count)
    said = said.format(model=model, count=count, past=past)
    shown = ""
    for room in range(min(40, len(tokens)), 0, -1):
        shown = " ".join(quoted(tokens[i], 24) if i is not None else "…" for i in some(len(tokens), room))
        if cell_len(page.plain(f"{said} {shown}")) <= 2 * page.width - 30:
            break
    return page.line((said, NAME), f" {shown}")


@dataclass(frozen=True)
class Overview(View):
    """What each block does to the row of one token: at `position` (the last, if none is given), in which `text` of a batch."""

    trace: Trace
    position: int | None = None
    text: int = 0

    @property
    def spot(self) -> Spot:
        """The token whose row is followed."""
        return spot(self.trace, self.position, self.text)

    def stages(self) -> list[Stage]:
        """The embedding, every block, the final norm: those of them that the trace has."""
        known = blocks(parts(self.trace))
        stream = {stage.name: stage for stage in stages(self.trace)}
        found = []
        if "embed" in self.trace:
            found.append(Stage(_("embedding"), self._norm("embed")))
        for n in known:
            mid, out = (stream.get(f"block.{n}.{name}") for name in ("residual_mid", "residual_out"))
            found.append(
                Stage(
                    _("block {n}", n=n),
                    None if out is None else self._norm(out.name),
                    strongest(self.trace, n, self.spot),
                    None if mid is None else self._norm(mid.added),
                    None if out is None else self._norm(out.added),
                    n,
                )
            )
        if "ln_f" in self.trace:
            found.append(Stage(_("final norm"), self._norm("ln_f")))
        return found

    def _norm(self, name: str | None) -> Any:
        return None if name is None else norms(row(self.trace, name, self.spot))[()]

    def token(self, place: int | None = None, room: int = 24) -> str:
        """`'C' (5)`: a token, by its place in the whole text; that of the overview itself, if none is given."""
        batch = self.text if self.trace.batch else None
        place = self.trace.past + self.spot.position if place is None else place
        label = self.trace.label("key", place, batch)
        return _("token {place}", place=place) if label is None else f"{quoted(label, room)} ({place})"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, found = Page.of(options), self.stages()
        if self.trace.tokens:
            yield tokens_read(self.trace, page, self.text)
        if not found:
            return
        width = self.trace.shape("embed")[-1] if "embed" in self.trace else 0
        if width:
            place, token = self.trace.past + self.spot.position, self.spot.token(self.trace)
            name = _("the token") if token is None else quoted(token, 12)
            yield page.line(_(GOING_ON, width=f"{width:,}", token=name, place=place), hang=0)
        yield page.text()
        yield from self._table(found, page)
        if predicts(self.trace):
            yield from self._next(max(cell_len(page.plain(stage.title)) for stage in found), page)
        yield page.line((self._ending(found), QUIET), hang=0)

    def _table(self, found: list[Stage], page: Page) -> Iterator[ConsoleRenderable]:
        inside = [n for n, stage in enumerate(found) if stage.block is not None]
        first = inside[0] if inside else 0
        places = [None if i is None else first + i for i in some(len(inside), MOST_BLOCKS)]
        shown = [*range(first), *places, *range(first + len(inside), len(found))]
        rows = [found[n] for n in shown if n is not None]
        lines = iter(list(columns_view(page, self._columns(rows), indent=0)))
        yield next(lines)
        for n in shown:
            if n is None:
                middle = [found[first + i].block for i in range(len(inside)) if first + i not in shown]
                text = _("{count} blocks more: --layer {first} to --layer {last}")
                text = text.format(count=len(middle), first=middle[0], last=middle[-1])
                yield page.line((f"…  {text}", QUIET), hang=3)
            else:
                yield next(lines)

    def _columns(self, rows: list[Stage], room: int = BAR) -> list[Column]:
        changes = [float(value) for stage in rows for value in (stage.attention, stage.mlp) if value is not None]
        top = max((value for value in changes if np.isfinite(value)), default=0.0)
        looks = [self._looks(stage.looks) for stage in rows]
        columns = [
            Column("", [stage.title for stage in rows], style=NAME),
            Column(_("{token} looks most at", token=self.token(room=10)), looks, rank=1 if any(looks) else 9),
        ]
        for title, values in (
            (_("attention adds"), [stage.attention for stage in rows]),
            (_("MLP adds"), [stage.mlp for stage in rows]),
        ):
            numbers = _sizes(values)
            cells = [
                f"{number} {bar(float(value) / top if top and value is not None else 0.0, room)}"
                for number, value in zip(numbers, values, strict=True)
            ]
            columns.append(Column(title, cells, style=VALUE, rank=2 if any(v is not None for v in values) else 9))
        return [*columns, Column(_("row length"), _sizes([stage.norm for stage in rows]), right=True, rank=3)]

    def _looks(self, look: Look | None) -> str:
        if look is None:
            return ""
        share = percent(look.share, 2)
        return _("{token} {share}, head {head}", token=self.token(look.key, 10), share=share, head=look.head)

    def _next(self, margin: int, page: Page) -> Iterator[ConsoleRenderable]:
        title = page.plain(_("next token"))
        likely = Predictions(self.trace, self.position, 3, self.text).candidates()
        gap = " " * (GAP if page.width >= NARROW else NARROW_GAP)
        room = max(6, (page.width - margin - 8) // 3 - 11)  # a percentage takes up to 10
        cells = [f"{quoted(item.text, room)} {percent(item.probability, 3)}" for item in likely]
        yield page.line((left(title, max(margin, cell_len(title))), NAME), gap, ("   ".join(cells), VALUE))

    def _ending(self, found: list[Stage]) -> str:
        """Which change is the largest, and what the numbers are."""
        changes = [
            (float(value), stage.block, what)
            for stage in found
            for value, what in ((stage.attention, ATTENTION_MOST), (stage.mlp, MLP_MOST))
            if value is not None and np.isfinite(value)
        ]
        short = len(found) > SCREENFUL  # no room on one screen
        said = _(LENGTHS)
        if not short:
            said = _(THEN, before=said, after=_(DIRECTIONS))
        if changes:
            _size, block, most = max(changes, key=lambda change: change[0])
            said = _(THEN, before=said, after=_(most, block=block))
        return said

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""

        def plain(value: Any) -> Any:
            return None if value is None else to_plain(np.asarray(value))["values"]

        lines = [
            {
                "stage": stage.title,
                "block": stage.block,
                "looks_at": stage.looks
                and {"head": stage.looks.head, "key": stage.looks.key, "share": plain(stage.looks.share)},
                "attention_adds": plain(stage.attention),
                "mlp_adds": plain(stage.mlp),
                "norm": plain(stage.norm),
            }
            for stage in self.stages()
        ]
        likely = (
            Predictions(self.trace, self.position, 3, self.text).to_dict()["next_token"] if predicts(self.trace) else []
        )
        return {
            "position": self.spot.position,
            "text": self.spot.token(self.trace),
            "stages": lines,
            "next_token": likely,
        }


def _sizes(values: list[Any]) -> list[str]:
    """Norms under each other, with the same number of decimals; nothing where there is none."""
    numbers = np.abs([float(value) for value in values if value is not None])
    least, top = np.min(numbers[numbers > 0], initial=np.inf), np.max(numbers, initial=0.0)
    if least >= 1e-3 and top < 1e6:
        decimals = max(0, 1 - math.floor(math.log10(least)))
        texts = iter([f"{number:.{decimals}f}" for number in numbers])
    else:
        texts = iter(column([value for value in values if value is not None], 2))
    padded = ["" if value is None else next(texts) for value in values]
    width = max(map(len, padded), default=0)
    return [text.rjust(width) for text in padded]
