"""Explanations: which multiplications and additions made a number, and the proof that they did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Constant, Elements, Line, Result
from llmtrace.errors import AddressError, LlmtraceError, ReplayError
from llmtrace.explain import dequantised
from llmtrace.explain.address import also, explain_target
from llmtrace.explain.describe import sentence
from llmtrace.explain.explanation import Explanation
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.trace import Trace

__all__ = ["Constant", "Elements", "Explanation", "Line", "Result", "explain"]


LARGEST_TREE = 2000
"""So many numbers are explained at once; more, nobody reads."""


def explain(trace: Trace, name: str, *index: Any, depth: int = 1, count: int = 3, **axes: Any) -> Explanation:
    """The Explanation of one number of a trace, `depth` steps deep, replayed: a bit that differs raises ReplayError.

    Each number is explained once, where the tree is shallowest, through the `count` elements of every row that matter most.
    """
    if depth < 1:
        raise AddressError(_("the depth must be at least 1, not {depth}", depth=depth))
    element, place = explain_target(trace, name, index, axes)
    return replace(explain_element(trace, element, place, depth, count), note=also(trace, name, index, axes))


def explain_element(trace: Trace, name: str, place: tuple[int, ...], depth: int = 1, count: int = 3) -> Explanation:
    """The same, for an index whose entries are all numbers from 0."""
    root = explain_alone(trace, name, place)
    found, leaves = {root.address: root}, [root]
    leans: dict[str, list[str]] = {}
    level = 1
    while leaves and level < depth:
        level += 1
        below: list[Explanation] = []
        for parent in leaves:
            leant = (e for e in parent.leans_on(count) if e.address() not in found)
            new = {e.address(): e for e in leant if e.tensor in trace or dequantised.is_quantised(trace, e.tensor)}
            leans[parent.address] = list(new)
            below += [explain_alone(trace, e.tensor, e.index) for e in new.values()]
            found |= {child.address: child for child in below[-len(new) :]} if new else {}
            if len(found) > LARGEST_TREE:
                raise AddressError(
                    _(
                        "depth {depth} leads to more than {limit} numbers: ask for a depth of at most {level}, or"
                        " go on from one of the numbers that it shows",
                        depth=depth,
                        limit=LARGEST_TREE,
                        level=level - 1,
                    )
                )
        leaves = below
    for address in reversed(found):  # children come after their parents: no recursion, however deep the tree is
        if children := tuple(found[child] for child in leans.get(address, ())):
            found[address] = replace(found[address], children=children)
    return found[root.address]


def explain_alone(trace: Trace, name: str, place: tuple[int, ...]) -> Explanation:
    """One number, without the numbers that it leans on."""
    element = Elements(name, trace.axes(name), place, trace.elements(name, place))
    if name not in trace:
        return _given(trace, element, place)
    record = trace[name].record
    op = OPS[record.op]
    working = Derivation(trace, record, place)
    try:
        with _kernels.FloatState():  # the constants of a formula, too, are rounded as the kernels round
            op.explain(working)
    except LlmtraceError:  # a file that is damaged, weights that are not there
        raise
    except (TypeError, ValueError, IndexError) as error:  # a file may give a step settings that do not fit its inputs
        raise ReplayError(_("{name} can't be done again: {why}", name=name, why=error)) from error
    lines = tuple(working.lines)
    bare = record.operands.get("bias", "") is None
    formula = op.formula.removesuffix(" + bias") if bare else op.formula
    own = Explanation(element, op.name, formula, sentence(trace, name, place), lines, source=trace)
    own.replay()
    return own


def _given(trace: Trace, element: Elements, place: tuple[int, ...]) -> Explanation:
    """A number that no step computes: of a weight that was stored with a few bits, how those became the number."""
    text = sentence(trace, element.tensor, place)
    origin = dequantised.of_weight(trace, element.tensor, place)
    if origin is None:
        from llmtrace.explain import angle

        return Explanation(element, "", "", text + angle.said(trace, element.tensor, place), (), source=trace)
    text += _(
        ", stored as {kind}: a whole number q of a few bits, times a scale that its neighbours share", kind=origin.kind
    )
    if origin.of_scale is not None:
        text += _("; this scale is itself a whole number s of a few bits, times a number d that more of them share")
    if origin.of_minimum is not None:
        text += _("; what is taken away from all of them is made likewise, of m and dmin")
    elif origin.minimum is not None:
        text += _("; then a minimum is added that they share, too")
    formula, lines = dequantised.formula(origin), dequantised.lines(origin)
    own = Explanation(element, dequantised.OP, formula, text, lines, source=trace)
    own.replay()
    return own
