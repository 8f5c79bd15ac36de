"""A Step: what came in, which weights, what was done, and what came out, with a few of the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.errors import AddressError
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.trace import Step, Trace
from llmtrace.views.document import (
    Block,
    Document,
    Heading,
    Ref,
    Space,
    Text,
    label,
    name,
    paragraph,
    quiet,
    said,
    value,
)
from llmtrace.views.grid import grid, settings, shown_numbers, sizes, summary
from llmtrace.views.histogram import spread
from llmtrace.views.next_token import PREDICTIONS, candidates, predicts
from llmtrace.views.next_token import view as next_token
from llmtrace.views.places import Label
from llmtrace.views.sections import spot
from llmtrace.views.step_list import step_facts
from llmtrace.views.terms import formula_words, letter_word
from llmtrace.views.view import HEAD, View

ROWS, ALL_ROWS = 6, 24
"""So many rows of the output are shown; and where everything is asked for, no more than a screenful."""


def view(step: Step, *, every: bool = False, count: int = ROWS) -> Document:
    """The step with its inputs, weights and output, of which `count` rows are shown."""
    rows = ALL_ROWS if every else count
    return Document(tuple(_step(step, rows)), lambda: facts(step, None, rows))


def closely(step: Step, head: int | None = None, *, every: bool = False) -> Document:
    """The same with a histogram; of one `head` only the output; of what predicts the next token, also the table of that."""
    if head is not None:
        _must_have(step, head)
    rows = ALL_ROWS if every else ROWS
    blocks = [*(_step(step, rows) if head is None else _head(step, head, rows))]
    if any((found := spread(_part(step, head)[0])).histogram) and step.output.dtype.kind == "f":
        blocks.append(paragraph(quiet(label(_("histogram"))), "[", found.picture, "]"))
    if step.trace.legend.kind(step.name) in PREDICTIONS and predicts(step.trace):
        blocks += [Space(), *next_token(step.trace).blocks]
    return Document(tuple(blocks), lambda: facts(step, head, rows))


def tensor(trace: Trace, tensor: str) -> Document:
    """A weight, or what the run was given, by its name."""
    values, axes = trace.tensor(tensor), trace.axes(tensor)
    what = _("a weight of the model") if tensor in trace.weights else _("given to the model")
    size = value(sizes(values.shape, axes))
    blocks: list[Block] = [
        Heading(
            (name(tensor), said(_(" ({what}): {size}, {dtype}"), what=what, size=size, dtype=str(values.dtype))), 1
        ),
        *_summary(values),
    ]
    tokens: Label = trace.label if axes[:1] != ("batch",) else lambda axis, index: None
    if values.size:
        blocks.append(grid(values, axes, _places(tokens, tensor), tensor))
    return Document(tuple(blocks), lambda: _tensor_facts(tensor, values, axes))


def _tensor_facts(tensor: str, values: Array, axes: Axes) -> dict[str, Any]:
    size = {"axes": axes, "shape": values.shape, "dtype": str(values.dtype), "bytes": values.nbytes}
    return {"name": tensor, **size, **vars(spread(values)), "shown": shown_numbers(values, axes, ROWS)}


def _places(tokens: Label, tensor: str) -> Label:
    """The tokens at a tensor's places; the rows of a table of positions are not the tokens of this prompt."""
    if not tensor.endswith(".weight"):
        return tokens
    return lambda axis, i: tokens(axis, i) if axis == "vocabulary" else None


def facts(step: Step, head: int | None, rows: int) -> dict[str, Any]:
    """The step, its inputs and weights with their sizes, and the numbers of its output that are shown."""
    trace, (out, axes) = step.trace, _part(step, head)
    operands = [
        {"letter": letter, "name": operand, "axes": trace.axes(operand), "shape": trace.shape(operand)}
        for letter, operand in step.record.operands.items()
        if operand is not None
    ]
    data = {
        **step_facts(step),
        "formula": OPS[step.op].formula,
        "operands": operands,
        "head": head,
        "shown": shown_numbers(out, axes, rows),
    }
    if trace.legend.kind(step.name) in PREDICTIONS and predicts(trace):
        data["next_token"] = candidates(trace, spot(trace), 10)
    return data


def _must_have(step: Step, head: int) -> None:
    heads = step.record.shape[step.axes.index("head")]
    if not 0 <= head < heads:
        text = _("{name} has no head {head}; its heads are 0 to {last}", name=step.name, head=head, last=heads - 1)
        raise AddressError(text)


def _part(step: Step, head: int | None) -> tuple[Array, Axes]:
    """The output, or that of one head, and its axes."""
    out, axes = step.output, step.axes
    if head is None:
        return out, axes
    at = axes.index("head")
    return np.take(out, head, at), (*axes[:at], *axes[at + 1 :])


def _step(step: Step, rows: int) -> Iterator[Block]:
    yield Heading((name(step.name), f" = {step.op}({', '.join(step.record.inputs)})"), 1)
    yield _formula(step)
    yield from _operands(step)
    if step.settings:
        yield paragraph(quiet(label(_("settings"))), settings(step.settings, step.op))
    yield from _output(step, step.output, step.axes, rows)


def _head(step: Step, head: int, rows: int) -> Iterator[Block]:
    yield Heading((name(f"{step.name}[head={head}]"), f" = {step.op}({', '.join(step.record.inputs)})"), 1)
    yield _formula(step)
    yield from _output(step, *_part(step, head), rows)


def _output(step: Step, out: Array, axes: Axes, rows: int) -> Iterator[Block]:
    yield paragraph(
        quiet(label(_("came out"))),
        said(_("{before}, {after}"), before=value(sizes(out.shape, axes)), after=str(out.dtype)),
    )
    yield from _summary(out)
    if out.size:
        yield grid(out, axes, label_of(step), step.name if axes == step.axes else "", rows)


def _summary(values: Array) -> Iterator[Block]:
    if said := summary(values):
        yield paragraph(said, indent=2)


def _formula(step: Step) -> Block:
    """The formula of the step's op: without a bias, where the step has none."""
    op = OPS[step.op]
    weights = dict(zip(op.weights, step.record.weights, strict=True))
    text = formula_words(op.formula, weights.get("bias") is not None)
    return paragraph(quiet(label(_("formula"))), Text(text, "formula"))


def _operands(step: Step) -> Iterator[Block]:
    """The inputs and the weights of a step, by the letters of its formula, with their sizes."""
    op, trace = OPS[step.op], step.trace
    for letter, operand in step.record.operands.items():
        if operand is not None:
            title = _("came in") if letter in op.inputs else _("weights")
            size = sizes(trace.shape(operand), trace.axes(operand))
            yield paragraph(
                quiet(label(title)), f"{letter_word(letter, step.op)} = ", Ref(operand), quiet(f"   {size}")
            )


def label_of(step: Step) -> Label:
    """The tokens along a step's axes; those of the first text of a batch."""
    trace = step.trace
    batch = 0 if step.axes[:1] == ("batch",) else None
    return lambda axis, index: trace.label(axis, index, batch) if axis != "batch" else None


VIEW = View(
    accepts=lambda trace, name, given: name in trace,
    build=lambda trace, name, every: closely(trace[name], every=every),
    order=3,
)
VIEW_OF_HEAD = View(
    accepts=lambda trace, name, given: name in trace and "head" in given and "head" in trace[name].axes,
    build=lambda trace, name, every, head: closely(trace[name], head, every=every),
    options=(HEAD,),
    order=2,
)
VIEW_OF_TENSOR = View(
    accepts=lambda trace, name, given: name not in trace and name in trace.names(),
    build=lambda trace, name, every: tensor(trace, name),
    order=2,
)
