"""The referee: another program's activations, judged op by op. Their inputs, our arithmetic: does their result follow?

Where it does not, the known causes are tried (`llmtrace.experiments.causes`). A cause is named only if it gives their numbers to
the bit, or so nearly that nothing but rounding is left; otherwise the step is left open. What they have not written is computed
here, and is in doubt (`llmtrace.experiments.doubt`): a step that so much doubt reaches that wrong numbers would be within it
is not judged.
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
from llmtrace.experiments.own_rounding import unit
from llmtrace.experiments.situation import Cause, Situation
from llmtrace.experiments.trial import EPSILON, Trial, distance
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.ops import OPS
from llmtrace.text import cited
from llmtrace.trace import Record, StepKind, Trace

Verdict = Literal["same", "rounding", "cause", "open", "unknown"]
SMALL = 2.0**-7
"""A doubt that is a larger share of a number says nothing of it: an error of a percent is to be seen."""
ANGLE = 4 * EPSILON
"""The angle of position p is at most p, and so rounded at most p times this, where it is float32 from the beginning."""


@frozen
class Finding:
    """What was found about a step of the other program.

    verdict: "same", their numbers follow to the bit; "rounding", they follow but for the last digits; "cause", they are what
    `cause` gives; "open", none of the known causes gives them; "unknown", so much between is missing that they can't be judged.
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
    apart: float = 0.0
    """How far their numbers are from those of our own run at most, as a share of its largest one."""


@dataclass
class Judgement:
    """All steps that could be judged, in the order of the run."""

    trace: Trace
    findings: list[Finding]
    missing: list[str]
    """The steps of the run of which the other program has written nothing."""

    @property
    def clean(self) -> bool:
        """Whether all that was written could be judged, and follows."""
        return all(each.verdict in {"same", "rounding"} for each in self.findings)

    @property
    def first(self) -> Finding | None:
        """The first step that is not just rounding."""
        return next((each for each in self.findings if each.verdict in {"cause", "open"}), None)


def judge(trace: Trace, theirs: Mapping[str, Array]) -> Judgement:
    """Every step that the other program has written, computed from what it has written before.

    trace: our run of the same tokens. theirs: by llmtrace's names and layout (`llmtrace.experiments.dumps.Understood`). What
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
    doubts = _leaves(trace, theirs, values, findings)
    for step in trace.steps:
        situation = _situation(trace, step.record, values)
        ours = situation.done()
        doubt = carried(
            situation, ours, {kind: doubts[name] for kind, name in step.record.operands.items() if name in doubts}
        )
        if step.name in found:
            behind = partial(_behind, trace, step.record, values, found)
            finding = _found(step.record, situation, ours, found[step.name], doubt, behind)
            findings.append(replace(finding, apart=_apart(step.output, found[step.name])))
            values[step.name] = found[step.name]
        else:
            missing.append(step.name)
            values[step.name] = ours
            doubts[step.name] = unit(situation, ours) + doubt if ours.dtype.kind == "f" else doubt
    return Judgement(trace, findings, missing)


def _leaves(
    trace: Trace, theirs: Mapping[str, Array], values: dict[str, Array], findings: list[Finding]
) -> dict[str, Array]:
    """The real numbers that go into the run: judged and put among the values where they are written, and in doubt where not."""
    doubts = {}
    for name in trace.leaves:
        ours = trace.tensor(name)
        if ours.dtype.kind != "f":
            continue
        off = _of_leaf(trace, name)
        if name not in theirs:
            doubts[name] = off
            continue
        values[name] = theirs[name]
        differ, far = int(np.count_nonzero(other_bits(ours, theirs[name]))), distance(ours, theirs[name], off)
        verdict: Verdict = "open" if far > 1 else "unknown" if np.isinf(off).any() else "rounding"
        verdict = verdict if differ else "same"
        findings.append(Finding(name, "", verdict, ours.size, differ, far, apart=_apart(ours, theirs[name])))
    return doubts


def _of_leaf(trace: Trace, name: str) -> Array:
    """How far those of another program may be: nobody knows what it has in its cache; its angles may have been rounded."""
    axes, shape = trace.axes(name), trace.shape(name)
    if any(step.op == "edit" and name in step.record.inputs for step in trace.steps):
        return np.zeros(shape)
    if "head" in axes:
        return np.full(shape, np.inf)
    at = next((i for i, axis in enumerate(axes) if axis in {"position", "source"}), None)
    if at is None:
        return np.zeros(shape)
    places = trace.past + np.arange(1.0, shape[at] + 1).reshape(-1, *[1] * (len(shape) - at - 1))
    return np.broadcast_to(ANGLE * places, shape)


def _apart(ours: Array, theirs: Array) -> float:
    """The largest distance of two numbers in the same place, as a share of the largest of ours."""
    with np.errstate(all="ignore"):
        far = np.abs(ours.astype(np.float64) - theirs)
    far = np.where(ours == theirs, 0.0, np.where(np.isnan(far), np.inf, far))
    most, largest = np.abs(ours[np.isfinite(ours)], dtype=np.float64).max(initial=0.0), far.max(initial=0.0)
    return float(largest / most) if most else float(np.inf if largest else 0.0)


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
    doubt: Array,
    behind: Callable[[], Mapping[str, Causes]],
) -> Finding:
    differ = other_bits(ours, theirs) if ours.dtype == theirs.dtype else ours != theirs
    count, size = int(np.count_nonzero(differ)), ours.size
    if not count:
        return Finding(record.name, record.op, "same", size, 0, 0.0)
    rounding = unit(situation, ours) if ours.dtype.kind == "f" else np.zeros(ours.shape)
    off, op, known = distance(ours, theirs, rounding + doubt), record.op, _known(ours, rounding, doubt)
    if off <= 1 and not known:
        return Finding(record.name, op, "unknown", size, count, off)
    trial = Trial(situation, ours, theirs, rounding + doubt, exactly=off <= 1 or not known)
    cause, agree = trial.best(ROUNDINGS.get(op, {}) if off <= 1 else FORMULAS.get(op, {}) | TYPES)
    if off > 1 and not cause:
        for name, causes in behind().items():
            cause, agree = trial.only(causes)
            if cause:
                cause = _("in {name}, which is not in the file: {cause}", name=name, cause=cause)
                break
    verdict: Verdict = "rounding" if off <= 1 else "cause" if cause else "open"
    return Finding(record.name, op, verdict, size, count, off, cause, agree)


def _known(ours: Array, rounding: Array, doubt: Array) -> bool:
    """Whether it shows in every row where numbers are wrong: at least half of those in doubt are so by no more than a small part
    of themselves, or than what rounding may do in this step alone.
    """
    if ours.dtype.kind != "f":
        return not doubt.any()
    in_doubt = doubt > 0
    small = in_doubt & (doubt <= np.maximum(SMALL * np.abs(np.where(np.isfinite(ours), ours, 0)), rounding))
    if not ours.ndim:
        return bool(small | ~in_doubt)
    return bool((2 * small.sum(-1) >= in_doubt.sum(-1)).all())


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
