"""The page of parts of a run: of those tensors that were asked for, without the model; it says what it has left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from llmtrace.errors import PromptError
from llmtrace.i18n import _
from llmtrace.render import page_file
from llmtrace.render.page_data import facts_of
from llmtrace.render.page_file import first_screen, put_together, shuffled
from llmtrace.render.page_run import as_page_numbers, expect_page_numbers, run_record, with_digests
from llmtrace.text import cited
from llmtrace.trace import Trace
from llmtrace.trace.checksum import checksum
from llmtrace.views.sections import block_of


def page_of_parts(trace: Trace, keep: Sequence[str] = (), layers: Sequence[int] = ()) -> str:
    """The page of the tensors that `keep` names (`*` stands for anything) and of all those of some blocks, with what made them.

    PromptError where there are none such, or too many.
    """
    expect_page_numbers(trace)
    chosen = chosen_names(trace, keep, layers)
    expect_room(sum(as_page_numbers(trace.tensor(name)).nbytes for name in chosen))
    return page_of(trace, chosen, checksum(trace))


def page_of(trace: Trace, chosen: Iterable[str], total: str = "", **more: Any) -> str:
    """The page of a run that holds these tensors."""
    held = {*chosen, *trace.leaves}
    record = with_digests(run_record(trace, "run", held), trace) | {"checksum": total}
    packed = {f"run:{name}": shuffled(as_page_numbers(trace.tensor(name))) for name in trace.names() if name in held}
    facts = facts_of(trace, None) | {"kind": "parts", "run": record} | more
    return put_together(facts, first_screen(trace), packed)


def chosen_names(trace: Trace, keep: Sequence[str], layers: Sequence[int]) -> list[str]:
    """The names of the tensors that were asked for, and of those that made them, in the order of the run."""
    names = trace.names()
    found: set[str] = set()
    for layer in layers:
        of_block = {name for name in trace if block_of(trace, name) == layer}
        if not of_block:
            raise PromptError(_("this run has no block {number}", number=layer))
        found |= of_block
    for pattern in keep:
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            raise PromptError(_("no tensor of this run is named {pattern}", pattern=cited(pattern)))
        found |= matching
    found |= {name for each in found & set(trace) for name in trace[each].record.operands.values() if name is not None}
    return [name for name in names if name in found]


def expect_room(size: int) -> None:
    """PromptError where so many bytes of numbers are too many for a page of parts."""
    if size > page_file.LARGEST:
        raise PromptError(
            _(
                "what was asked for has {size} MB, and a page holds {limit} MB: ask for less, or look at it with"
                " `llmtrace serve`",
                size=-(-size // 1_000_000),
                limit=page_file.LARGEST // 1_000_000,
            )
        )
