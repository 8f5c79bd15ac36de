"""An Explanation on a page: what the number is, how it is computed in letters, and the computation with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.arithmetic.lines import Elements, Line, Result
from llmtrace.explain import Explanation
from llmtrace.i18n import N_, _
from llmtrace.render.lines import folds, line_views
from llmtrace.render.names import Names, line_name, row_address
from llmtrace.render.numbers import rounded
from llmtrace.render.terminal.layout import GOOD, HEADING, NAME, QUIET, VALUE, Branches, Page, Part, label

FOOTER = N_(
    "The numbers are shown rounded, so the last digit may differ by 1 when you add them up yourself; --exact shows all"
    " digits."
)
FOLDED = N_("--all shows every term.")
SAME = N_(
    "✓ same bits: all this was computed once more just now, and gave the recorded number to the last bit (the very same"
    " number in the computer's memory)."
)
EXP = N_("exp(x) is e to the power x, e = 2.718…")


def view(explanation: Explanation, *, every: bool = False, count: int = 6, ending: bool = True) -> ConsoleRenderable:
    """The explanation with its children as a tree. It is replayed first: what does not replay is not shown."""
    return ExplanationView(explanation, count, every, ending)


@dataclass(frozen=True)
class ExplanationView:
    """An Explanation that Rich can print."""

    explanation: Explanation
    count: int = 6
    every: bool = False
    ending: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.explanation.replay()
        shown = _Shown()
        yield _Node(self.explanation, self.count, self.every, shown, top=True)
        if self.ending and _computed(self.explanation):
            page = Page.of(options)
            yield page.text()
            yield page.line((_(SAME), QUIET))
            yield page.line((f"{_(FOOTER)} {_(FOLDED)}" if shown.folded else _(FOOTER), QUIET))


@dataclass
class _Shown:
    """What has been shown already: addresses, and worked lines by what they calculate with."""

    addresses: set[str] = field(default_factory=set)
    lines: dict[tuple[str, ...], str] = field(default_factory=dict)
    folded: bool = False

    def new_lines(self, explanation: Explanation) -> tuple[tuple[Line, ...], list[str], str]:
        """The lines that are not worked out above, the names of the others, and where those are worked out."""
        keys = _keys(explanation)
        old = [line for line, key in zip(explanation.lines[:-1], keys, strict=False) if key in self.lines]
        if len(old) < 2:
            old = []
        where = self.lines[keys[explanation.lines.index(old[0])]] if old else ""
        for key in keys:
            self.lines.setdefault(key, explanation.address)
        names = [line.name for line in old]
        return tuple(line for line in explanation.lines if line.name not in names), names, where


def _keys(explanation: Explanation) -> list[tuple[str, ...]]:
    """What each line calculates with: the same key means the same work."""
    keys: dict[str, tuple[str, ...]] = {}
    for line in explanation.lines:
        parts = [line.operation]
        for o in line.operands:
            parts.append(
                repr(keys[o.line]) if isinstance(o, Result) else row_address(o) if isinstance(o, Elements) else o.text
            )
        keys[line.name] = tuple(parts)
    return list(keys.values())


@dataclass(frozen=True)
class _Node:
    """One explanation of the tree, with those below it."""

    explanation: Explanation
    count: int
    every: bool
    shown: _Shown
    top: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = Page.of(options, self.count, self.every)
        if self.explanation.address in self.shown.addresses:
            yield page.line(*_head(self.explanation, False), (f"   {_('(worked out above)')}", QUIET))
            return
        self.shown.addresses.add(self.explanation.address)
        yield page.line(*_head(self.explanation, self.top))
        yield from _own(self.explanation, page, self.shown)
        if self.explanation.children:
            yield page.text()
            yield page.line((_("where the numbers that matter most come from:"), HEADING))
            count = min(self.count, 3)
            yield Branches([_Node(child, count, self.every, self.shown) for child in self.explanation.children])


def _head(explanation: Explanation, checked: bool) -> list[Part]:
    value: list[Part] = [(explanation.address, NAME), " = ", (rounded(explanation.value), VALUE)]
    return [*value, (f"   {_('✓ same bits')}", GOOD)] if checked and _computed(explanation) else value


def _computed(explanation: Explanation) -> bool:
    """Whether it has more to show than a masked place, where nothing is computed."""
    return any(line.operation != "masked" for line in explanation.lines)


def formula(explanation: Explanation) -> str:
    """The formula of what was done: without a bias, where the step has none."""
    tensors = [o.tensor for line in explanation.lines for o in line.operands if isinstance(o, Elements)]
    biased = any(tensor.rpartition(".")[2] == "bias" for tensor in tensors)
    return _(explanation.formula if biased else explanation.formula.removesuffix(" + bias"))


def _own(explanation: Explanation, page: Page, shown: _Shown) -> Iterator[ConsoleRenderable]:
    if explanation.sentence:
        yield page.line(explanation.sentence, hang=0)
    if not explanation.lines:
        return
    yield page.line((label(_("formula")), QUIET), (formula(explanation), "italic"))
    names = Names(explanation)
    legend = names.legend()
    width = max((cell_len(page.plain(name)) for name, _address, _token in legend), default=0)
    for name, address, token in legend:
        space = " " * (width - cell_len(page.plain(name)))
        yield page.line((f"{name}{space}  {address}", QUIET), (f"   {token}" if token else "", QUIET), indent=2, hang=4)
    if any(line.operation == "exp" for line in explanation.lines):
        yield page.line((_(EXP), QUIET), indent=2, hang=4)
    yield page.text()
    lines, old, where = shown.new_lines(explanation)
    if old:
        known = ", ".join(line_name(name) for name in old)
        yield page.line((_("{names}: worked out above, for {address}", names=known, address=where), QUIET))
    shown.folded |= folds(lines, page)
    yield from line_views(lines, names, page)
