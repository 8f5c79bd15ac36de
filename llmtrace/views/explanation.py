"""An Explanation: what the number is, how it is computed in letters, and the computation with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from llmtrace.arithmetic.lines import Elements, Line, Result
from llmtrace.display import asked_option
from llmtrace.explain import Explanation
from llmtrace.i18n import N_, _, listed
from llmtrace.ops import OPS
from llmtrace.ops.elementwise.edit import edit
from llmtrace.views.calculation import calculations, folds
from llmtrace.views.document import (
    Block,
    Definitions,
    Document,
    Inline,
    Paragraph,
    Space,
    Text,
    Tree,
    good,
    label,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.numbers import number
from llmtrace.views.operand_names import Names, row_address
from llmtrace.views.terms import formula_words

FOOTER = N_(
    "The numbers are shown rounded, so the last digit may differ by 1 when you add them up yourself; {exact} shows all"
    " digits."
)
FOLDED = N_("{every} shows every term.")
SAME = N_(
    "✓ same bits: all this was computed once more just now, and gave the recorded number to the last bit (the very same"
    " number in the computer's memory)."
)
EXP = N_("exp(x) is e to the power x, e = 2.718…")


def view(explanation: Explanation, *, every: bool = False, count: int = 6, ending: bool = True) -> Document:
    """The explanation with its children as a tree. It is replayed first: what does not replay is not shown.

    `count` terms of each sum are listed, or `every` one; `ending`: with what it means below.
    """
    explanation.replay()
    shown = _Shown(every)
    blocks: list[Block] = [paragraph(quiet(_("Note: {text}", text=explanation.note)))] if explanation.note else []
    blocks.append(_node(explanation, count, shown, top=True))
    if ending and _computed(explanation):
        footer = _(FOOTER, exact=asked_option("exact"))
        if shown.folded:
            footer = _("{before} {after}", before=footer, after=_(FOLDED, every=asked_option("all", "every")))
        blocks += [Space(), paragraph(quiet(_(SAME))), paragraph(quiet(footer))]
    return Document(tuple(blocks), explanation.to_dict)


@dataclass
class _Shown:
    """What has been shown already: addresses, and worked lines by what they calculate with."""

    every: bool
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


def _node(explanation: Explanation, count: int, shown: _Shown, top: bool = False) -> Tree:
    """One explanation of the tree, with those below it."""
    address = explanation.address
    if address in shown.addresses:
        return Tree(address, _head(explanation, quiet(f"   {_('(worked out above)')}")))
    shown.addresses.add(address)
    checked = [good(f"   {_('✓ same bits')}")] if top and _computed(explanation) else []
    body = tuple(_own(explanation, count, shown))
    title = _("where the numbers that matter most come from:") if explanation.children else ""
    children = tuple(_node(child, min(count, 3), shown) for child in explanation.children)
    return Tree(address, _head(explanation, *checked), body, title, children, open=top)


def _head(explanation: Explanation, *said: Text) -> Paragraph:
    result = number(explanation.value, role="value", address=explanation.address)
    return paragraph(name(explanation.address), " = ", result, *said)


def _computed(explanation: Explanation) -> bool:
    """Whether it has more to show than a masked place, where nothing is computed."""
    return any(line.operation != "masked" for line in explanation.lines)


def formula(explanation: Explanation) -> str:
    """The formula of what was done: without a bias, where the step has none."""
    tensors = [o.tensor for line in explanation.lines for o in line.operands if isinstance(o, Elements)]
    biased = any(tensor.rpartition(".")[2] == "bias" for tensor in tensors)
    known = OPS.get(explanation.op)
    return formula_words(known.formula if known else explanation.formula, biased)


def _edited(explanation: Explanation) -> Inline:
    """Of a number that may have been edited, whether it was, and what it was before."""
    kept, _zero, x, value = explanation.lines[-1].operands
    if not (isinstance(x, Elements) and isinstance(value, Elements) and isinstance(kept, Elements)) or kept.values > 0:
        return _("This number is not one of those that were changed.")
    return said(_("Set to {value} by you; it was {before}."), value=number(value.values), before=number(x.values))


def _own(explanation: Explanation, count: int, shown: _Shown) -> Iterator[Block]:
    """What is said of one explanation alone."""
    if explanation.sentence:
        yield paragraph(explanation.sentence, hang=0)
    if explanation.op == edit.name:
        yield paragraph(_edited(explanation), hang=0)
    if not explanation.lines:
        return
    yield paragraph(quiet(label(_("formula"))), Text(formula(explanation), "formula"))
    names = Names(explanation)
    if legend := names.legend():
        entries = (
            (quiet(letter), (quiet(f"{where}   {token}" if token else where),)) for letter, where, token in legend
        )
        yield Definitions(tuple(entries), indent=2)
    if any(line.operation == "exp" for line in explanation.lines):
        yield paragraph(quiet(_(EXP)), indent=2, hang=4)
    yield Space()
    lines, old, where = shown.new_lines(explanation)
    if old:
        known = listed(names.line(name) for name in old)
        yield paragraph(quiet(_("{names}: worked out above, for {address}", names=known, address=where)))
    shown.folded |= folds(lines, count, shown.every)
    yield from calculations(lines, names, count, shown.every)
