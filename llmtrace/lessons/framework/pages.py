"""A lesson's pages as they are seen: prose with computed numbers, code with what it prints, explanations, tables, pictures."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.display import Displayed
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Lesson, names_in
from llmtrace.lessons.framework.recorded import Recorded
from llmtrace.lessons.framework.text import Block as TextBlock
from llmtrace.lessons.framework.text import LessonText, PageText, filled, formatted, lesson_text
from llmtrace.views.document import (
    Block,
    Code,
    Column,
    Document,
    Heading,
    Inline,
    Item,
    Number,
    Paragraph,
    Space,
    Table,
    heading,
    name,
    paragraph,
    value,
)
from llmtrace.views.explanation import view as explanation
from llmtrace.views.figures import Heatmap, Scale, named_axis
from llmtrace.views.matmul_steps import Product
from llmtrace.views.numbers import numbers

WIDEST = 88
"""Longer lines are hard to read."""
NUMERIC = frozenset("−0123456789")
"""What a number begins with."""
MARKS = re.compile(r"(\*\*.+?\*\*|`.+?`)")


class Pages:
    """The pages of one lesson, by number. Code is run once, in order, in one namespace; the numbers are the lesson's."""

    def __init__(self, lesson: Lesson, text: LessonText | None = None) -> None:
        self.lesson = lesson
        self.text = text or lesson_text(lesson.name)
        self._names: dict[str, Any] = {}
        self._done: list[list[Any]] = []

    def __len__(self) -> int:
        return len(self.text.pages)

    @property
    def live(self) -> bool:
        """Whether there is something that can be seen live."""
        return any(
            block.kind == "show" and block.text.startswith("live ") for p in self.text.pages for block in p.blocks
        )

    def __getitem__(self, number: int) -> PageView:
        """A page; those before it are computed first, because its code may go on from theirs."""
        while len(self._done) <= number:
            self._done.append([self._made(block) for block in self.text.pages[len(self._done)].blocks])
        page = self.text.pages[number]
        return PageView(filled(page.title, self.lesson), number + 1, len(self), page, tuple(self._done[number]))

    def example(self, number: int = 0) -> str:
        """`TRACE ADDRESS` of an explanation on this page, or else before it, or else the lesson's first."""
        shown = [
            (n, line.removeprefix("explain "))
            for n, page in enumerate(self.text.pages)
            for block in page.blocks
            for line in block.text.split("\n")
            if block.kind == "show" and line.startswith("explain ")
        ]
        _page, line = max(shown, key=lambda one: one[0] if one[0] <= number else -one[0])
        return filled(line, self.lesson)

    def _made(self, block: TextBlock) -> Any:
        if block.kind == "python":
            return self.run(block.text)
        if block.kind == "show":
            return [shown(self.lesson, line) for line in block.text.split("\n")]
        return filled(block.text, self.lesson)

    def run(self, code: str) -> list[tuple[str, str]]:
        """Runs some code and returns its statements, each with what it prints."""
        tree = ast.parse(code)
        self._names = self.lesson.values_of(names_in(tree), self._names)
        done = []
        for statement in tree.body:
            out, source = io.StringIO(), ast.get_source_segment(code, statement) or ""
            with contextlib.redirect_stdout(out):
                exec(compile(source, f"<{self.lesson.name}>", "exec"), self._names)
            done.append((source, out.getvalue().rstrip("\n")))
        return done


@frozen
class PageView(Displayed):
    """One page, to be seen."""

    title: str
    number: int
    count: int
    page: PageText
    made: tuple[Any, ...]
    still: bool = True
    """Whether what is live is shown as a picture."""

    @property
    def animation(self) -> Product | None:
        """What can be played on this page, if anything can."""
        shown = (each.thing for made in self.made if isinstance(made, list) for each in made if isinstance(each, Shown))
        return next((thing for thing in shown if isinstance(thing, Product)), None)

    def document(self) -> Document:
        """All that is on it."""
        return Document(tuple(self._blocks()))

    def _blocks(self) -> Iterator[Block]:
        yield Heading((heading(self.title), f"  ({self.number}/{self.count})"), 1)
        before = ""
        for block, made in zip(self.page.blocks, self.made, strict=True):
            if not block.kind == before == "item":
                yield Space()
            before = block.kind
            if block.kind == "show" and not self.still:
                made = [replace(each, kind="here") if _is_live(each) else each for each in made]
            yield from blocks_of(block, made)


def blocks_of(block: TextBlock, made: Any) -> Iterator[Block]:
    """What one block of a text looks like."""
    if block.kind == "python":
        for source, printed in made:
            yield Code(source, printed)
    elif block.kind == "show":
        for each in made:
            yield from each.blocks()
    elif block.kind == "item":
        yield Item(marked(made))
    else:
        yield Paragraph(marked(made), hang=0)


def marked(text: str) -> tuple[Inline, ...]:
    """The pieces of a paragraph: **strong**, `code`, and the rest."""
    pieces: list[Inline] = []
    for piece in MARKS.split(text):
        if piece.startswith("**"):
            pieces.append(name(piece[2:-2]))
        elif piece.startswith("`"):
            pieces.append(value(piece[1:-1]))
        elif piece:
            pieces.append(piece)
    return tuple(pieces)


# ---- what a `show` block names ---------------------------------------------------------------------------------------


def shown(lesson: Lesson, line: str) -> Shown:
    """`explain TRACE ADDRESS`, `table NAME | title | title`, `picture NAME | row, row | column, column` or `live NAME`."""
    first, *titles = [part.strip() for part in filled(line, lesson).split("|")]
    kind, name, *address = first.split(" ", 2)
    if kind == "explain":
        return Shown(kind, lesson.trace(name).explain(address[0]), titles)
    if kind == "live":  # computed where it is shown, and on a terminal it is not: there it is live
        return Shown(kind, lambda: lesson.value(name), titles)
    if kind not in {"table", "picture"}:
        raise ValueError(f"{lesson.name}: nothing can be shown by {line!r}")
    return Shown(kind, lesson.value(name), titles)


@frozen
class Shown:
    """An explanation, a table, a picture, or a function that makes one."""

    kind: str
    thing: Any
    titles: Sequence[str]

    def blocks(self) -> Iterator[Block]:
        """What it looks like."""
        if self.kind == "explain":
            yield from explanation(self.thing, ending=False).blocks
        elif self.kind == "here":
            yield paragraph(name(_("Press l, and watch it learn.")), indent=2)
        elif self.kind == "table":
            cells = zip(*self.thing, strict=True)
            yield Table(tuple(table_column(*each) for each in zip(self.titles, cells, strict=True)))
        elif isinstance(self.thing, np.ndarray):
            yield picture(self.thing, *(tuple(map(str.strip, labels.split(","))) for labels in self.titles))
        else:
            thing = self.thing() if self.kind == "live" else self.thing
            thing = thing.document() if hasattr(thing, "document") else thing
            yield from thing.blocks if isinstance(thing, Document) else (thing,)


def _is_live(made: object) -> bool:
    return isinstance(made, Shown) and made.kind == "live"


def table_column(title: str, cells: Sequence[Any]) -> Column:
    """A column of texts, or of numbers with their points under each other; `sum:.2f` says how they are written."""
    title, _colon, form = title.partition(":")
    if form:
        return Column(title, tuple(placed(cell, formatted(cell, form)) for cell in cells), "right")
    if any(isinstance(cell, str) for cell in cells):
        texts = tuple(formatted(cell, None) for cell in cells)
        return Column(title, texts, "right" if all(text[:1] in NUMERIC for text in texts) else "left")
    values = np.asarray(cells)
    shown = numbers(
        values.astype(np.float32) if values.dtype.kind == "f" else values, addresses=[place_of(cell) for cell in cells]
    )
    return Column(title, shown, "right")


def placed(cell: Any, text: str) -> Inline:
    """A cell as it is written; a number of a trace leads to its place."""
    return Number(np.asarray(cell)[()], text, address=place_of(cell)) if place_of(cell) else text


def place_of(cell: Any) -> str:
    """The place of a number of one of the lesson's traces; "" for any other cell."""
    return cell.place if isinstance(cell, Recorded) else ""


def picture(values: Array, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> Heatmap:
    """A matrix as a heatmap with its numbers: 0 stands in the middle of the shades."""
    top = float(np.abs(values).max())
    height, width = values.shape
    axes = named_axis(rows, height), named_axis(columns, width)
    return Heatmap(values, np.zeros(values.shape, bool), Scale(-top, top), *axes, whole=True)
