"""The referee: another program's activations, judged op by op. Their inputs, our arithmetic: does their result follow?

Where it does not, the known causes are tried (`llmtrace.experiments.causes`). A cause is named only if it gives their numbers to
the bit, or so nearly that nothing but rounding is left; otherwise the step is left open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from llmtrace.arithmetic.bits import other_bits
from llmtrace.arithmetic.types import Array
from llmtrace.errors import EditError
from llmtrace.experiments.casts import TYPES
from llmtrace.experiments.causes import FORMULAS, ROUNDINGS
from llmtrace.experiments.doubt import carried
from llmtrace.experiments.situation import Cause, Situation
from llmtrace.experiments.trial import EPSILON, Trial, distance
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.ops import OPS
from llmtrace.text import cited
from llmtrace.trace import Record, StepKind, Trace

Verdict = Literal["same", "rounding", "cause", "open"]


@frozen
class Finding:
    """What was found about a step of the other program.

    verdict: "same", their numbers follow to the bit; "rounding", they follow but for the last digits; "cause", they are what
    `cause` gives; "open", none of the known causes gives them.
    """

    name: str
    op: str
    verdict: Verdict
    size: int
    differ: int
    """How many of their numbers have other bits than ours, from the same inputs."""
    off: float
    """The largest distance, as a multiple of what rounding may do."""
    cause: str = ""
    agree: int = 0
    """How many of their numbers the cause gives to the bit."""


@dataclass
class Judgement:
    """All steps that could be judged, in the order of the run."""

    trace: Trace
    findings: list[Finding]
    missing: list[str]
    """The steps of the run of which the other program has written nothing."""

    @property
    def first(self) -> Finding | None:
        """The first step that is not just rounding."""
        return next((each for each in self.findings if each.verdict in {"cause", "open"}), None)


def judge(trace: Trace, theirs: Mapping[str, Array]) -> Judgement:
    """Every step that the other program has written, computed from what it has written before.

    trace: our run of the same tokens. theirs: by llmtrace's names and layout (`llmtrace.experiments.dumps.understood`). What
    is missing is computed from what is there. Raises EditError where nothing of it is a step of this run.
    """
    found: dict[str, Array] = {name: array for name, array in theirs.items() if name in trace}
    if not found:
        raise EditError(
            _(
                "none of these arrays is a step of this run, by name and shape: {names}",
                names=listed(map(cited, list(theirs)[:5])),
            )
        )
    values = {name: trace.tensor(name) for name in trace.leaves}
    findings, missing = _ids(trace, theirs), list[str]()
    if "tokens" in theirs and "tokens" in values:
        values["tokens"] = theirs["tokens"]
    doubts: dict[str, Array] = {}
    for step in trace.steps:
        situation = _situation(trace, step.record, values)
        ours = situation.done()
        doubt = {kind: doubts[name] for kind, name in step.record.operands.items() if name in doubts}
        if step.name in found:
            behind = partial(_behind, trace, step.record, values, found)
            findings.append(_found(step.record, situation, ours, found[step.name], doubt, behind))
            values[step.name] = found[step.name]
        else:
            missing.append(step.name)
            values[step.name] = ours
            if ours.dtype.kind == "f":
                doubts[step.name] = _unit(situation, ours) + carried(situation, ours, doubt)
    return Judgement(trace, findings, missing)


def _ids(trace: Trace, theirs: Mapping[str, Array]) -> list[Finding]:
    """Whether the other program has read the same tokens."""
    if "tokens" not in theirs or "tokens" not in trace.leaves:
        return []
    ours = trace.tensor("tokens")
    known = max((trace.shape(name)[-1] for name in trace.of_kind(StepKind.LOGITS)), default=None)
    least, most = int(theirs["tokens"].min()), int(theirs["tokens"].max())
    if least < 0 or (known is not None and most >= known):
        text = _("the other program's token ids go from {least} to {most}, and this model's from 0 to {last}")
        raise EditError(text.format(least=least, most=most, last=(known or 0) - 1))
    differ = int(np.count_nonzero(ours != theirs["tokens"]))
    if not differ:
        return [Finding("tokens", "", "same", ours.size, 0, 0.0)]
    return [Finding("tokens", "", "cause", ours.size, differ, np.inf, _("other token ids"), ours.size)]


def _situation(trace: Trace, record: Record, values: Mapping[str, Array]) -> Situation:
    def operands(of: Record) -> dict[str, Array | None]:
        return {
            kind: None if name is None else values[name] if name in values else trace.tensor(name)
            for kind, name in of.operands.items()
        }

    beside = [other for other in (step.record for step in trace.steps) if _beside(record, other)]
    weights = OPS[record.op].weights
    others = {other.name: {kind: x for kind, x in operands(other).items() if kind in weights} for other in beside}
    return Situation(record.op, operands(record), record.settings, others)


def _beside(record: Record, other: Record) -> bool:
    """Whether a step does the same op with the same inputs, and other weights."""
    return other.name != record.name and (other.op, other.inputs) == (record.op, record.inputs)


Causes = dict[str, Cause]


def _found(
    record: Record,
    situation: Situation,
    ours: Array,
    theirs: Array,
    doubt: Mapping[str, Array],
    behind: Callable[[], Mapping[str, Causes]],
) -> Finding:
    differ = other_bits(ours, theirs) if ours.dtype == theirs.dtype else ours != theirs
    count, size = int(np.count_nonzero(differ)), ours.size
    if not count:
        return Finding(record.name, record.op, "same", size, 0, 0.0)
    unit = _unit(situation, ours) + carried(situation, ours, doubt)
    off, op = distance(ours, theirs, unit), record.op
    trial = Trial(situation, ours, theirs, unit, exactly=off <= 1)
    cause, agree = trial.best(ROUNDINGS.get(op, {}) if off <= 1 else FORMULAS.get(op, {}) | TYPES)
    if off > 1 and not cause:
        for name, causes in behind().items():
            cause, agree = trial.only(causes)
            if cause:
                cause = _("in {name}, which is not in the file: {cause}", name=name, cause=cause)
                break
    verdict: Verdict = "rounding" if off <= 1 else "cause" if cause else "open"
    return Finding(record.name, op, verdict, size, count, off, cause, agree)


def _behind(
    trace: Trace, record: Record, values: Mapping[str, Array], written: Mapping[str, Array]
) -> dict[str, Causes]:
    """For each input that the other program has not written: what could be the matter there, as causes of this step."""
    found: dict[str, Causes] = {}
    for kind, name in record.operands.items():
        producer = trace.record_of(name) if name is not None and name not in written else None
        if producer is not None:
            before = _situation(trace, producer, values)
            found[producer.name] = {
                title: _instead(kind, before, cause) for title, cause in FORMULAS.get(producer.op, {}).items()
            }
    return found


def _instead(kind: str, before: Situation, cause: Cause) -> Cause:
    """A step whose input is what a cause gives."""

    def done(s: Situation) -> Array | None:
        made = cause(before)
        if made is None or made.shape != s[kind].shape:
            return None
        return s.done(**{kind: made.astype(s[kind].dtype)})

    return done


def _unit(situation: Situation, ours: Array) -> Array:
    """How far rounding alone may move each number: n roundings of the largest sum that its terms can make (Higham 2002, §3.1)."""
    absolute = {
        name: np.abs(x).astype(np.float64)
        for name, x in situation.operands.items()
        if x is not None and x.dtype.kind == "f"
    }
    if situation.op.startswith("linear"):
        x, weight, bias = _layer(situation, absolute)
        large, terms = x @ weight + (0 if bias is None else bias), weight.shape[0]
        large = _as(situation, large)
    elif situation.op == "attention_scores":
        q, k = absolute["q"], absolute["k"]
        large, terms = np.matmul(q, np.moveaxis(k, -1, -2)) / q.shape[-1] ** 0.5, q.shape[-1]
    elif situation.op == "attention_mix":
        large, terms = np.matmul(absolute["pattern"], absolute["v"]), absolute["v"].shape[-2]
    elif situation.op == "add":
        large, terms = absolute["a"] + absolute["b"], 1
    elif situation.op == "embedding":
        return np.zeros(ours.shape)
    else:
        finite = np.abs(np.where(np.isfinite(ours), ours, 0)).astype(np.float64)
        row = finite.max(-1, keepdims=True) if ours.ndim else finite
        large, terms = np.broadcast_to(np.maximum(row, finite), ours.shape), 8
        return np.asarray((terms + 2) * EPSILON / 2 * large + _own(situation, ours))
    return np.asarray((terms + 2) * EPSILON / 2 * large)


def _own(situation: Situation, ours: Array) -> Array:
    """What rounding has done here, at most in each row: over long rows its sums lose more than a few roundings."""
    wide = {
        name: None if x is None else x.astype(np.float64) if x.dtype.kind == "f" else x
        for name, x in situation.operands.items()
    }
    with np.errstate(all="ignore"):
        far = np.abs(replace(situation, operands=wide).done() - ours)
    far = np.where(np.isfinite(far), far, 0.0)
    return np.asarray(far.max(-1, keepdims=True) if far.ndim else far)


def _layer(situation: Situation, absolute: Mapping[str, Array]) -> tuple[Array, Array, Array | None]:
    x, weight = absolute["x"], absolute["weight"]
    if situation.op == "linear_from_heads":
        x = np.moveaxis(x, -3, -2).reshape(*x.shape[:-3], x.shape[-2], -1)
    return x, weight.T if situation.settings.get("transposed") else weight, absolute.get("bias")


def _as(situation: Situation, out: Array) -> Array:
    if situation.op != "linear_to_heads":
        return out
    return np.moveaxis(out.reshape(*out.shape[:-1], situation.settings["heads"], -1), -2, -3)
