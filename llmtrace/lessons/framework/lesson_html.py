"""A lesson's pages as HTML, in which every number that has an address leads to its explanation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import numpy as np

from llmtrace.errors import LessonError
from llmtrace.frozen import frozen
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.framework.pages import Pages, PageView, Shown, blocks_of, place_of
from llmtrace.lessons.framework.text import Block, filled
from llmtrace.render.html.blocks import blocks
from llmtrace.render.html.words import Page
from llmtrace.render.page_run import has_page_numbers
from llmtrace.trace import Trace
from llmtrace.views import document as d
from llmtrace.views.figures import Heatmap
from llmtrace.views.matmul_steps import Product

TENSOR = re.compile(r'picture (\w+)\.tensor\("([^"]+)"\)(?:\[(\d+)\])?\s*(?:\||$)')
"""A `show` line that names a tensor of one of the lesson's traces."""
NAMED = "*"
"""Stands for the trace of numbers whose addresses begin with its name."""
EXPLAINED = re.compile(r'`llmtrace learn [\w-]+ --explain "([\w.]+) ([^"`]+)"`')
"""A command that explains a number of a trace of the lesson."""
ASKED = re.compile(r"`(\w[\w.]*) ([\w.]+\[[^\]`]*\])`")
"""A trace and an address in it, as they are typed where the lesson asks for them."""
LONGEST = 100
"""An animation of more frames is shown as it ends."""


class Everything(frozenset[str]):
    """Every address has a place."""

    def __contains__(self, address: object) -> bool:
        return bool(address)


@frozen
class Linked(Page):
    """A page whose numbers lead to the places of the lesson's file that are named by a trace and an address."""

    targets: frozenset[str] = Everything()

    def place(self, address: str) -> str:
        """The address bar's text for an address."""
        return quote(f"{self.prefix}{address}", safe="")


@frozen
class Written:
    """A page of a lesson: its title, its HTML, the frames of its animation."""

    title: str
    html: str
    frames: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"title": self.title, "html": self.html, "frames": list(self.frames)}


def written(pages: Pages, number: int, place: str) -> Written:
    """A page. `place` is what its links begin with: the lesson's name and a slash."""
    view = pages[number]
    inner = "".join(as_html(some, trace, place) for some, trace in parts(pages.lesson, view))
    found = view.animation
    frames: Sequence[str] = ()
    if found is not None and len(found) <= LONGEST:
        name = trace_name(pages.lesson, found)
        frames = [as_html(tuple(found.frame(done).blocks), name, place) for done in range(len(found) + 1)]
    return Written(view.title, inner, tuple(frames))


def as_html(some: Sequence[d.Block], trace: str, place: str) -> str:
    """Blocks as HTML; numbers are links where the trace that they are from is known. Styles are data: policies forbid them.

    trace: its name, or `NAMED`, where each address begins with it.
    """
    prefix = place if trace == NAMED else f"{place}{trace} "
    page: Page = Linked(prefix) if trace else Page("")
    return re.sub(r' style="', ' data-style="', blocks([prompted(each) for each in some], page))


def prompted(block: d.Block) -> d.Block:
    """Code after Python's prompt, as on a terminal; any other block as it is."""
    if not isinstance(block, d.Code):
        return block
    return replace(
        block, source="\n".join(f"{'...' if n else '>>>'} {line}" for n, line in enumerate(block.source.split("\n")))
    )


def parts(lesson: Lesson, view: PageView) -> Iterator[tuple[tuple[d.Block, ...], str]]:
    """The blocks of a page in groups, each with the name of the trace that its addresses are of."""
    for block, made in zip(view.page.blocks, view.made, strict=True):
        if block.kind != "show":
            yield tuple(blocks_of(block, made)), ""
            continue
        for line, each in zip(block.text.split("\n"), made, strict=True):
            yield from shown_parts(lesson, filled(line, lesson), each, block)


def shown_parts(lesson: Lesson, line: str, each: Shown, block: Block) -> Iterator[tuple[tuple[d.Block, ...], str]]:
    """What one line of a `show` block has named."""
    pictured = tensor_of(lesson, line, each)
    if each.kind == "explain":
        yield tuple(each.blocks()), linkable(lesson, line.split(" ", 2)[1])
    elif isinstance(each.thing, Product):
        yield tuple(each.blocks()), trace_name(lesson, each.thing)
    elif pictured is not None:
        trace, name, first = pictured
        address = f"{name}[{first}{{row}}, {{column}}]"
        drawn = [replace(one, address=address) if isinstance(one, Heatmap) else one for one in each.blocks()]
        yield tuple(drawn), linkable(lesson, trace)
    else:
        yield tuple(each.blocks()), NAMED if each.kind == "table" else ""


def tensor_of(lesson: Lesson, line: str, each: Shown) -> tuple[str, str, str] | None:
    """Of a picture of a tensor of a trace: the names of both, and what its addresses begin with."""
    found = TENSOR.match(line)
    if not found or not isinstance(each.thing, np.ndarray) or not isinstance(getattr(lesson, found[1], None), Trace):
        return None
    return found[1], found[2], "" if found[3] is None else f"{found[3]}, "


def trace_name(lesson: Lesson, product: Product) -> str:
    """What the lesson calls the trace of a product; "" where it has no name for it."""
    return linkable(lesson, lesson.name_of(product.trace))


def linkable(lesson: Lesson, name: str) -> str:
    """The name of a trace; "" where a page has no such numbers as it has: float64."""
    try:
        trace = lesson.trace(name)
    except LessonError:
        return ""
    return name if has_page_numbers(trace) and not trace.batch else ""


def led_to(pages: Pages) -> dict[str, list[str]]:
    """The traces that the pages lead to, by name, each with the addresses in it that they name, besides what is explained."""
    found: dict[str, list[str]] = {}
    for number in range(len(pages)):
        for _blocks, name in parts(pages.lesson, pages[number]):
            if name and name != NAMED:
                found.setdefault(name, [])
        for trace, address in named(pages.lesson, pages[number]):
            if linkable(pages.lesson, trace):
                found.setdefault(trace, []).append(address)
    return found


def named(lesson: Lesson, view: PageView) -> Iterator[tuple[str, str]]:
    """Traces and addresses: of the numbers in tables and pictures, and of the commands that explain one."""
    for block, made in zip(view.page.blocks, view.made, strict=True):
        if block.kind == "show":
            for line, each in zip(block.text.split("\n"), made, strict=True):
                yield from named_in(lesson, filled(line, lesson), each)
        elif block.kind != "python":
            yield from (*EXPLAINED.findall(made), *ASKED.findall(made))


def named_in(lesson: Lesson, line: str, each: Shown) -> Iterator[tuple[str, str]]:
    """The same of one line of a `show` block."""
    if each.kind == "table":
        for cell in (cell for row in each.thing for cell in row if place_of(cell)):
            trace, _space, address = place_of(cell).partition(" ")
            yield trace, address
    elif (pictured := tensor_of(lesson, line, each)) is not None:
        trace, name, first = pictured
        yield from ((trace, f"{name}[{first}{row}, {column}]") for row, column in np.ndindex(*each.thing.shape))
