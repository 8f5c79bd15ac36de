"""Blocks of words and of single calculations in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from rich.console import ConsoleRenderable
from rich.text import Text as RichText

from llmtrace.render.terminal.inlines import rich_text, width_of
from llmtrace.render.terminal.layout import STYLES, Hanging, Page
from llmtrace.views.document import (
    Calculation,
    Code,
    Definitions,
    Examples,
    Heading,
    Inline,
    Item,
    Number,
    Paragraph,
    Phrase,
    Space,
)
from llmtrace.views.numbers import bracketed

Drawn = Iterator[ConsoleRenderable]


def hanging(page: Page, *inlines: Inline, indent: int = 0, hang: int = 2) -> Hanging:
    """A paragraph that begins at column `indent` and goes on, where it does not fit, at `indent + hang`."""
    return Hanging(rich_text(page, *inlines), indent, hang)


def paragraph(block: Paragraph | Heading, page: Page) -> Drawn:
    """One paragraph."""
    yield hanging(page, *block.inlines, indent=block.indent, hang=block.hang)


def item(block: Item, page: Page) -> Drawn:
    """An item of a list, with its bullet."""
    yield hanging(page, "* " if page.ascii else "• ", *block.inlines, indent=block.indent)


def space(block: Space, page: Page) -> Drawn:
    """An empty line."""
    yield Hanging(RichText())


def code(block: Code, page: Page) -> Drawn:
    """A statement after Python's prompt, and its output."""
    for n, line in enumerate(block.source.split("\n")):
        yield hanging(page, ("... " if n else ">>> ") + line, indent=2, hang=4)
    for line in block.printed.split("\n") if block.printed else ():
        yield Hanging(rich_text(page, line, role="value"), 2, 4)


def definitions(block: Definitions, page: Page) -> Drawn:
    """A line for each name, what they stand for under each other."""
    width = max((width_of(page, name) for name, _meaning in block.entries), default=0)
    for name, meaning in block.entries:
        space = " " * (width - width_of(page, name) + 2)
        yield hanging(page, name, space, *meaning, indent=block.indent, hang=block.hang)


def calculation(block: Calculation, page: Page) -> Drawn:
    """A calculation in one line."""
    parts: list[Inline] = [Phrase((block.name,), "name")]
    if block.letters:
        parts += [" = ", *block.letters]
    if block.numbers:
        parts += [" = ", *block.numbers]
    if block.result is not None:
        parts += [f" {block.sign} " if block.numbers else " = ", block.result]
    yield hanging(page, *parts, *block.said)


def examples(block: Examples, page: Page) -> Drawn:
    """A line for each place; the numbers stand under each other."""
    labels = [page.plain(place) for place, _work in block.rows]
    width = max(map(cell_len, labels), default=0)
    for label, work in zip(labels, under_each_other([work for _place, work in block.rows]), strict=True):
        line = RichText(" " * (width - cell_len(label)) + label, STYLES["name"]).append("  ")
        yield Hanging(RichText(overflow="fold").append_text(line).append_text(rich_text(page, *work)), 2, 4)


def under_each_other(lines: Sequence[tuple[Inline, ...]], most: int | None = None) -> list[tuple[Inline, ...]]:
    """The same inlines, with spaces beside their numbers so that the first ones have one width, the second ones, …

    `most`: only so many numbers of each line.
    """
    columns: dict[int, list[str]] = {}

    def measure(n: int, number: Number) -> Number:
        columns.setdefault(n, []).append(number.text)
        return number

    def widen(n: int, number: Number) -> Number:
        return replace(number, text=next(texts[n])) if most is None or n < most else number

    lines = [_with_brackets(line) for line in lines]
    for line in lines:
        _each_number(line, measure)
    texts = {n: iter(aligned(column, any(map(_in_brackets, column)))) for n, column in columns.items()}
    return [_each_number(line, widen) for line in lines]


def aligned(texts: Sequence[str], operand: bool = False) -> list[str]:
    """Numbers of one width; those of an `operand` below 0 in brackets."""
    if operand and any(map(_in_brackets, map(bracketed, texts))):
        texts = [text if _in_brackets(text) else f"{text} " for text in map(bracketed, texts)]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def _in_brackets(text: str) -> bool:
    return text.startswith("(")


def _with_brackets(line: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """A line whose numbers hold the brackets that stand around them."""
    found: list[Inline] = []
    for inline in line:
        if inline == ")" and len(found) > 1 and found[-2] == "(" and isinstance(number := found[-1], Number):
            found[-2:] = [replace(number, text=f"({number.text})")]
        else:
            found.append(inline)
    return tuple(found)


def _each_number(line: tuple[Inline, ...], change: Callable[[int, Number], Number]) -> tuple[Inline, ...]:
    count = 0

    def walk(inlines: tuple[Any, ...]) -> tuple[Any, ...]:
        nonlocal count
        done = []
        for inline in inlines:
            if isinstance(inline, Phrase):
                inline = replace(inline, parts=walk(inline.parts))
            elif isinstance(inline, Number):
                inline = change(count, inline)
                count += 1
            done.append(inline)
        return tuple(done)

    return walk(line)
