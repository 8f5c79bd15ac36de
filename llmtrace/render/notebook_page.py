"""The page of a run inside a notebook's cell: closed off from the notebook and from other cells, and not too large."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from llmtrace.errors import PromptError
from llmtrace.explain import Explanation
from llmtrace.i18n import _
from llmtrace.render.page_parts import page_of
from llmtrace.render.page_run import expect_page_numbers
from llmtrace.trace import Step, Trace

LARGEST = 2_000_000
"""So many characters a cell has at most."""
ROOM = 800_000
"""So many bytes of numbers are tried first."""


def framed(thing: object) -> str:
    """The page of a trace, a step or an explanation as a frame; "" for anything else, and where no page can be."""
    found = looked_at(thing)
    if found is None:
        return ""
    trace, place, first = found
    try:
        expect_page_numbers(trace)
    except PromptError:
        return ""
    room = ROOM
    while room > 1000:
        text = page_of(trace, held(trace, first, room), place=place)
        frame = f'<iframe sandbox="allow-scripts" srcdoc="{escape(text)}" title="{escape(_("the page of this run"))}"'
        frame += ' loading="lazy" style="width:100%;height:34em;border:1px solid rgba(128,128,128,.4)"></iframe>\n'
        if len(frame) <= LARGEST:
            return frame
        room //= 2
    return ""


def looked_at(thing: object) -> tuple[Trace, str, list[str]] | None:
    """The run of a thing, the place where its page begins, and the tensors that are wanted first."""
    if isinstance(thing, Trace):
        return thing, "", []
    if isinstance(thing, Step):
        return thing.trace, thing.name, [thing.name, *filter(None, thing.record.operands.values())]
    if isinstance(thing, Explanation) and isinstance(thing.source, Trace):
        name = thing.element.tensor
        record = thing.source.record_of(name)
        operands = [] if record is None else [each for each in record.operands.values() if each is not None]
        return thing.source, thing.address, [name, *operands]
    return None


def held(trace: Trace, first: Iterable[str], room: int) -> list[str]:
    """The tensors that fit into so many bytes: those that are wanted first, then the run from its end, then the weights."""
    chosen, left = [], room
    for name in dict.fromkeys([*first, *reversed(list(trace)), *trace.weights]):
        size = 4
        for length in trace.shape(name):
            size *= length
        if size <= left:
            chosen.append(name)
            left -= size
    return chosen
