"""Explanations: which multiplications and additions made a number, and the proof that they did."""

from __future__ import annotations

from typing import Any

from llmtrace.errors import AddressError
from llmtrace.explain.address import explain_target
from llmtrace.explain.explanation import Constant, Elements, Explanation, Line, Result
from llmtrace.explain.sentences import sentence
from llmtrace.explain.working import Working
from llmtrace.ops import OPS
from llmtrace.trace import Trace

__all__ = ["Constant", "Elements", "Explanation", "Line", "Result", "explain"]


def explain(trace: Trace, name: str, *index: Any, depth: int = 1, count: int = 3, **axes: Any) -> Explanation:
    """The Explanation of one number of a trace, `depth` steps deep, replayed: a bit that differs raises ReplayError."""
    if depth < 1:
        raise AddressError(f"the depth must be at least 1, not {depth}")
    name, place = explain_target(trace, name, index, axes)
    return explain_element(trace, name, place, depth, count)


def explain_element(trace: Trace, name: str, place: tuple[int, ...], depth: int = 1, count: int = 3) -> Explanation:
    """The same, for an index whose entries are all numbers from 0."""
    element = Elements(name, trace.axes(name), place, trace.elements(name, place))
    if name not in trace:
        return Explanation(element, "", "", sentence(trace, name, place), (), source=trace)
    record = trace[name].record
    working = Working(trace, record, place)
    OPS[record.op].explain(working)
    own = Explanation(
        element, record.op, OPS[record.op].formula, sentence(trace, name, place), tuple(working.lines), source=trace
    )
    own.replay()
    if depth == 1:
        return own
    children = tuple(
        explain_element(trace, e.tensor, e.index, depth - 1, count) for e in own.leans_on(count) if e.tensor in trace
    )
    return Explanation(element, own.op, own.formula, own.sentence, own.lines, children, source=trace)
