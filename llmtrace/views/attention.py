"""Attention as heatmaps: who looks at whom, all heads side by side, or one of them large with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.segment import Segment
from rich.text import Text

from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError
from llmtrace.i18n import N_, _
from llmtrace.render.notebook import View
from llmtrace.render.terminal.heatmap import LABEL, Heatmap, Places, Scale, number_width, plain_rows, shown_text, tidy
from llmtrace.render.terminal.layout import NAME, QUIET, Page
from llmtrace.render.terminal.palette import in_colour
from llmtrace.render.terminal.table import Line, fit, left
from llmtrace.text import quoted
from llmtrace.trace import Step
from llmtrace.views.grid import place_label, some

PATTERN = N_(
    "How much each token (row) looks at itself and at the tokens before it (columns): the shares of a row add up to 1."
)
SCORES = N_(
    "How well the question of each token (row) fits the label of each token (column), before this becomes shares."
)
BLANKS = N_("Blank: a token that comes later; nobody can look at it.")
JSON_PLACES = 64
"""Of longer texts, the data form holds so many places: half of them the first ones, half the last."""


def is_attention(step: Step) -> bool:
    """Whether a step has a number for every query and key of every head."""
    return step.axes[-3:] == ("head", "query", "key") and not step.name.startswith("d.")


@dataclass(frozen=True)
class Attention(View):
    """The heads of an attention step as heatmaps, or one `head` large. `every`: more of a long text; `text`: of a batch."""

    step: Step
    head: int | None = None
    every: bool = False
    text: int = 0

    def __post_init__(self) -> None:
        heads = self.step.record.shape[-3]
        if self.head is not None and not 0 <= self.head < heads:
            raise AddressError(
                _(
                    "{name} has no head {head}; its heads are 0 to {last}",
                    name=self.step.name,
                    head=self.head,
                    last=heads - 1,
                )
            )

    @property
    def values(self) -> Array:
        """The step's numbers, [head, query, key]."""
        out = self.step.output
        return out[self.text] if self.step.axes[0] == "batch" else out

    @property
    def blank(self) -> Array:
        """[query, key]: the keys that come after the query, for which nothing is computed."""
        queries, keys = self.step.record.shape[-2:]
        if self.step.op in {"attention_scores", "causal_softmax"}:
            return np.arange(keys) > np.arange(queries)[:, None] + (keys - queries)
        return np.zeros((queries, keys), bool)

    def scale(self) -> Scale:
        """The shades of all heads alike: from 0 for shares, from the smallest for scores, to the largest."""
        numbers = self.values[:, ~self.blank]
        finite = numbers[np.isfinite(numbers)]
        if not finite.size:
            return Scale(0.0, 0.0)
        return Scale(0.0 if self._shares else float(finite.min()), float(finite.max()))

    @property
    def _shares(self) -> bool:
        return "softmax" in self.step.op

    def label(self, axis: str, place: int) -> str | None:
        """The token at a place."""
        batch = self.text if self.step.axes[0] == "batch" else None
        token: str | None = self.step.trace.label(axis, place, batch)
        return token

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options)
        name = self.step.name if self.head is None else f"{self.step.name}[head={self.head}]"
        yield page.line((name, NAME), f" = {self.step.op}({', '.join(self.step.record.inputs)})")
        yield page.line((_(PATTERN if self._shares else SCORES), QUIET), hang=0)
        if self.step.axes[0] == "batch":
            yield page.line((_("text {number}", number=self.text), NAME))
        if not self.step.output.size:
            yield page.line(_("no finite numbers"))
            return
        yield page.text()
        maps = [self.large(page)] if self.head is not None else self.small(page)
        yield from _side_by_side(maps, page, in_colour(console, options))
        yield page.text()
        yield from self._legend(maps[0], page, in_colour(console, options))

    def _legend(self, shown: Heatmap, page: Page, colour: bool) -> Iterator[ConsoleRenderable]:
        yield self.scale().view(page, colour)
        if self.blank.any():
            yield page.line((_(BLANKS), QUIET), hang=0)
        if None in (*shown.rows, *shown.columns):
            queries, keys = self.step.record.shape[-2:]
            places = _(
                "Shown: rows {rows}, columns {columns}.",
                rows=shown_text(shown.rows, queries),
                columns=shown_text(shown.columns, keys),
            )
            yield page.line((places, QUIET), hang=0)
        if self.head is None:
            yield page.line((_("One head large: --head and its number."), QUIET), hang=0)
        address = self._telling()
        how = _('How one of the numbers was computed: llmtrace explain "{address}"', address=address)
        yield page.line((how, QUIET), hang=0)

    def _telling(self) -> str:
        """The address of the place that the last token looks at most."""
        heads = range(self.values.shape[0]) if self.head is None else [self.head]
        rows = np.where(self.blank[-1], -np.inf, np.nan_to_num(self.values[list(heads), -1], nan=-np.inf))
        row, key = np.unravel_index(int(rows.argmax()), rows.shape)
        places = [f"head={heads[int(row)]}", f"query={self.values.shape[1] - 1}", f"key={key}"]
        batch = [f"batch={self.text}"] if self.step.axes[0] == "batch" else []
        return f"{self.step.name}[{', '.join([*batch, *places])}]"

    def large(self, page: Page) -> Heatmap:
        """One head: with its numbers if there is room, else as cells, of as many places as fit."""
        queries, keys = self.step.record.shape[-2:]
        values, blank, high = self.values[self.head or 0], self.blank, 64 if self.every else 32
        rows = some(queries, high)
        labels = self.labels("query", rows)
        room = page.width - max(cell_len(fit(label, LABEL, page)) for label in labels) - 1
        wide = number_width(values, blank, self.scale(), rows, range(keys)) + 3 if keys <= 40 else page.width
        if keys * wide <= room:
            names = [place_label(self.label, "key", i, wide - 3) for i in range(keys)]
            short = [quoted(self.label("key", i) or str(i)) for i in range(keys)]
            texts = names if all(cell_len(page.plain(name)) < wide for name in names) else short
            return Heatmap(values, blank, self.scale(), rows, range(keys), labels, texts, cell=0)
        cell = 2 if keys * 2 <= room else 1 if keys <= room else 2
        columns = some(keys, max(3, room // cell))
        tokens = ["" if i is None else _bare(self.label("key", i)) for i in columns]
        return Heatmap(values, blank, self.scale(), rows, columns, labels, tokens, cell=cell, tall=True)

    def small(self, page: Page) -> list[Heatmap]:
        """All heads, of as many places as leave each of them small."""
        heads, queries, keys = self.step.record.shape[-3:]
        high = 64 if self.every else 16 if heads <= 4 else 12
        rows = some(queries, high)
        labels = self.labels("query", rows)
        room = page.width - max(cell_len(fit(label, LABEL, page)) for label in labels) - 1
        columns = some(keys, max(3, min(high, room)))
        cell = 2
        if len(columns) * 2 > room or (
            _lines(heads, len(columns) * 2, room) > _lines(heads, len(columns), room) and heads > 4
        ):
            cell = 1
        tokens = ["" if i is None else _bare(self.label("key", i)) for i in columns]
        if any(len(page.plain(token)) > 1 or cell_len(token) > cell for token in tokens):
            tokens = ["" if i is None else str(i % 10) for i in columns]
        return [
            Heatmap(
                *(self.values[head], self.blank, self.scale(), rows, columns, labels, tokens),
                cell=cell,
                title=_("head {number}", number=head),
            )
            for head in range(heads)
        ]

    def labels(self, axis: str, places: Places) -> list[str]:
        """`3 'cat'` for each place."""
        return ["…" if place is None else place_label(self.label, axis, place, 10) for place in places]

    def to_dict(self) -> dict[str, Any]:
        """The numbers of the heads; null for places that are not looked at."""
        heads, queries, keys = self.step.record.shape[-3:]
        rows, columns = (
            [i for i in some(count, count if self.every else JSON_PLACES + 1) if i is not None]
            for count in (queries, keys)
        )
        chosen = range(heads) if self.head is None else [self.head]
        shown, blank = np.ix_(rows, columns), self.blank
        return {
            "name": self.step.name,
            "op": self.step.op,
            "axes": ["head", "query", "key"],
            "shape": [heads, queries, keys],
            "heads": list(chosen),
            "queries": [{"position": i, "text": self.label("query", i)} for i in rows],
            "keys": [{"position": i, "text": self.label("key", i)} for i in columns],
            "values": [plain_rows(self.values[head][shown], blank[shown]) for head in chosen],
        }


def _bare(token: str | None) -> str:
    """A token without quotes, its spaces visible."""
    return "" if token is None else quoted(token)[1:-1].replace(" ", "_")


def _lines(heads: int, width: int, room: int) -> int:
    return -(-heads // max(1, (room + 2) // (width + 2)))


def _side_by_side(maps: list[Heatmap], page: Page, colour: bool) -> Iterator[ConsoleRenderable]:
    """As many heatmaps beside each other as fit; the labels of the rows stand only before the first."""
    margin = maps[0].margin(page)
    size = max(item.width(page) for item in maps) - margin
    count = max(1, (page.width - margin + 2) // (size + 2))
    for start in range(0, len(maps), count):
        if start:
            yield page.text()
        yield _Row(maps[start : start + count], size)


@dataclass(frozen=True)
class _Row:
    """Some heatmaps of the same rows beside each other."""

    maps: list[Heatmap]
    size: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, colour, first = Page.of(options), in_colour(console, options), self.maps[0]
        if len(self.maps) == 1:
            yield first
            return
        margin = " " * first.margin(page)
        for texts in zip(*([item.title, *item.heads(page)] for item in self.maps), strict=True):
            style = NAME if texts[0] == first.title else QUIET
            yield Line(Text(margin).append("  ".join(left(text, self.size) for text in texts), style))
        gap = Segment("  ")
        for rows in zip(*(item.lines(page, colour) for item in self.maps), strict=True):
            line = [Segment(left(rows[0][0], len(margin)))]
            for _label, cells in rows:
                used = sum(segment.cell_length for segment in cells)
                line += [*cells, Segment(" " * (self.size - used)), gap]
            yield from tidy(line)
            yield Segment.line()
