"""One step of the guided read: what it is in plain words, how it is made, and its numbers for one token."""

from __future__ import annotations

from collections.abc import Iterator

from llmtrace.explain.describe import what
from llmtrace.i18n import N_, _, listed
from llmtrace.ops import OPS
from llmtrace.trace import Step
from llmtrace.views.document import Block, Heading, Number, Token, label, name, paragraph, quiet
from llmtrace.views.figures import Axis, NumberRow, Place
from llmtrace.views.grid import sizes
from llmtrace.views.ranking import highest
from llmtrace.views.sections import Spot, row
from llmtrace.views.terms import formula_words

BIAS = N_("{made}, plus a bias")
MOST = 6
"""So many numbers are shown at most."""


def how(step: Step) -> str:
    """How its numbers are made, in one sentence."""
    op, source, record = OPS[step.op], step.trace, step.record
    if not op.how:
        inputs = listed(record.inputs)
        return _("{formula}, of {inputs}", formula=formula_words(op.formula), inputs=inputs)
    shape = source.shape(record.inputs[0])
    count = shape[-1] * (shape[-3] if step.op == "linear_from_heads" else 1) if shape else 1
    names = dict(zip("ab", record.inputs, strict=False))
    found = source.legend.of(step.name)
    made = (found and found.words.how) or op.how
    text = _(made, n=f"{count:,}", **names)
    biased = step.op.startswith("linear") and any(name.endswith(".bias") for name in step.weights)
    return _(BIAS, made=text) if biased else text


def formal(step: Step) -> str:
    """The op, its weights and their sizes, for those who know them: `op: linear_to_heads; weights: weight 48 × 48, bias 48`."""
    weights = []
    for weight in step.weights:
        size = " × ".join(f"{size:,}" for size in step.trace.shape(weight))
        weights.append(f"{weight.removeprefix(step.name + '.')} {size}")
    text = _("op: {op}; weights: {weights}") if weights else _("op: {op}")
    return text.format(op=step.op, weights=listed(weights))


def entry(step: Step, place: Spot, before: list[Step]) -> Iterator[Block]:
    """A step: what it is, how it is made, and its numbers for the token at `place`; `before` it have been shown others."""
    alike = (other for other in before if (other.op, other.record.inputs) == (step.op, step.record.inputs))
    like, size = next(alike, None), sizes(step.record.shape, step.axes)
    made = how(step) if like is None else _("made like {name}, with weights of its own", name=like.name)
    yield title(step)
    yield paragraph(_("{shape}, {made}", shape=size, made=made), indent=4, hang=0)
    yield paragraph(quiet(formal(step)), indent=4)
    yield from numbers(step, place)


def title(step: Step) -> Block:
    """`block.0.attn.q: what each token asks (query)`."""
    about = what(step.trace, step.name)
    return Heading((name(step.name), f"{label('')}{about}" if about else ""), 3, indent=2)


def numbers(step: Step, place: Spot) -> Iterator[Block]:
    """Some numbers of the token's row, and where they stand: `[head=1, position=5, feature=0…5]`."""
    if not step.record.shape or not all(step.record.shape):
        return
    trace, axes = step.trace, step.axes
    values = row(trace, step.name, place)
    index = place.at(trace, axes, step.record.shape)
    where = tuple(f"{axis}={i}" for axis, i in index.items())
    if len(index) == len(axes):
        best = trace.label(trace.axes(step.record.inputs[0])[-1], int(values[0])) if step.op == "argmax" else None
        answer = Number(values[0], str(values[0]), address=place.address(trace, step.name))
        said = () if best is None else (": ", Token(best, most=24))
        yield paragraph(quiet(f"[{', '.join(where)}]"), " = ", answer, *said, indent=4)
        return
    axis = axes[-1]
    if axis == "key" and "query" in axes:
        values = values[: trace.past + place.position + 1]  # nothing is computed for later tokens
    first = highest(values, MOST) if axis in {"key", "vocabulary"} else list(range(min(values.size, MOST)))
    shown = sorted(first)
    batch = place.text if trace.batch else None
    places = tuple(Place(i, trace.label(axis, i, batch)) for i in shown)
    order = tuple(shown.index(i) for i in first)
    yield NumberRow(where, Axis(axis, step.record.shape[-1], places), values[shown], order, values.size, step.name)
