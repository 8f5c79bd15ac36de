"""The first number of a run that is not finite: in which step, at which place, and the very operation that made it."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmtrace.arithmetic.lines import Line
from llmtrace.arithmetic.operations import DOTS, SUMS
from llmtrace.arithmetic.types import Array
from llmtrace.explain import explain_element
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.trace import Step, Trace

LEFT_OUT = frozenset({"top_k", "top_p"})
"""Ops whose −∞ stands for what is left out."""
STILL_MASKED = frozenset({"scale", "identity", "edit"})
"""Ops that leave it where it was."""


@frozen
class NotFinite:
    """A number that is ∞, −∞ or NaN though all that came before it in the run was finite."""

    name: str
    """Of its tensor."""
    place: tuple[int, ...]
    value: Any
    address: str
    line: Line | None = None
    """The line of its explanation in which it arose; None for one that no step made."""
    term: int | None = None
    """Which term of that line's sum made it so, from 0."""


def first_not_finite(trace: Trace) -> NotFinite | None:
    """The first such number, step by step: among the leaves and weights that it takes, then in what it makes; or None."""
    seen: set[str] = set()
    for name, output in trace.each():
        step = trace[name]
        taken = [name for name in step.record.operands.values() if name is not None and name not in trace]
        for operand in taken:
            if operand not in seen:
                seen.add(operand)
                place = first_place(trace.tensor(operand))
                if place is not None:
                    return _found(trace, operand, place)
        place = first_place(output, step)
        if place is not None:
            return _explained(trace, _found(trace, step.name, place))
    return None


def first_place(values: Array, step: Step | None = None) -> tuple[int, ...] | None:
    """Where the first number that is not finite stands, but for the −∞ of places that a step leaves out on purpose."""
    wrong = not_finite(values, step)
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def not_finite(values: Array, step: Step | None = None) -> Array:
    """Which numbers are not finite, but for the −∞ of places that a step leaves out on purpose."""
    if values.dtype.kind != "f":
        return np.zeros(values.shape, bool)
    wrong = ~np.isfinite(values)
    if not wrong.any():
        return wrong
    if step is not None and masked(step):
        queries, keys = values.shape[-2:]
        wrong &= np.tri(queries, keys, keys - queries, dtype=bool)
    elif step is not None and step.op in LEFT_OUT:
        wrong &= ~np.isneginf(values)
    return wrong


def masked(step: Step, ops: frozenset[str] = frozenset({"attention_scores"})) -> bool:
    """Whether a step leaves out later keys: its op is one of those that do, or what one gave was scaled, named anew or edited."""
    while step.op in STILL_MASKED and step.record.inputs[0] in step.trace:
        step = step.trace[step.record.inputs[0]]
    return step.op in ops


def counted(values: Array, step: Step | None = None) -> str:
    """How many numbers are NaN, ∞ and −∞, such as `21 NaN, 3 ∞`; nothing where none is."""
    wrong = values[not_finite(values, step)]
    kinds = {"NaN": np.isnan(wrong), "∞": np.isposinf(wrong), "−∞": np.isneginf(wrong)} if wrong.size else {}
    found = {name: int(np.count_nonzero(kind)) for name, kind in kinds.items() if kind.any()}
    if len(found) == 1 and wrong.size == values.size > 1:
        return _("all {value}", value=next(iter(found)))
    return listed(f"{count:,} {name}" for name, count in found.items())


def warning(trace: Trace) -> str:
    """The sentence about the first number that is not finite in what a trace has recorded; nothing where all are finite."""
    if all(first_place(output, trace[name]) is None for name, output in trace.each()):
        return ""
    found = first_not_finite(trace)
    return said(found) if found else ""


def said(found: NotFinite) -> str:
    """In one sentence."""
    text = _(
        "the first number that is not finite is {address} = {value}", address=found.address, value=sign(found.value)
    )
    if found.line is None:
        return text
    if found.term is None:
        operands = listed(sign(operand.values) for operand in found.line.operands if operand.values.ndim == 0)
        how = _("the operation {operation} made it, of {operands}", operation=found.line.operation, operands=operands)
    else:
        for term in _turns(found.line, found.term):
            text = _("{text}; {how}", text=text, how=_term(found.line, term))
        return text
    return _("{text}; {how}", text=text, how=how)


def _turns(line: Line, first: int) -> list[int]:
    """The terms that make the total infinite or NaN: ∞ may come first, and NaN later."""
    nan = np.isnan(line.totals())
    return [first, int(nan.argmax())] if nan.any() and not nan[first] else [first]


def _term(line: Line, term: int) -> str:
    terms, totals = line.terms(), line.totals()
    return _(
        "in its sum, term {number} of {count} ({term}) makes {before} into {after}",
        number=term + 1,
        count=terms.size,
        term=_product(line, term, terms),
        before=sign(totals[term - 1] if term else 0),
        after=sign(totals[term]),
    )


def _found(trace: Trace, name: str, place: tuple[int, ...]) -> NotFinite:
    value = trace.elements(name, place)
    return NotFinite(name, place, value[()], trace.address(name, place))


def _explained(trace: Trace, found: NotFinite) -> NotFinite:
    for line in explain_element(trace, found.name, found.place).lines:
        if np.isfinite(line.values).all():
            continue
        term = None
        if line.operation in SUMS:
            wrong = np.flatnonzero(~np.isfinite(line.totals()))
            term = int(wrong[0]) if wrong.size else None
        return NotFinite(found.name, found.place, found.value, found.address, line, term)
    return found


def _product(line: Line, term: int, terms: Array) -> str:
    if line.operation not in DOTS:
        return sign(terms[term])
    a, b = (operand.values[term] for operand in line.rows)
    return f"{sign(a)} × {sign(b)}" if not b < 0 else f"{sign(a)} × ({sign(b)})"


def sign(value: Any) -> str:
    """A number as a sentence has it, ∞ and NaN too."""
    number = float(np.asarray(value)[()])
    if np.isnan(number):
        return "NaN"
    return f"{number:.6g}".replace("inf", "∞").replace("-", "−")
