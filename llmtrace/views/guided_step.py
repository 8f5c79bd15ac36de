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

# How the numbers of an op are made, out of its inputs {a} and {b}, whose rows have {n} numbers.
HOW = {
    "add": N_("each the sum of two numbers at the same place, of {a} and {b}"),
    "adam_mean": N_("most of the old mean {a}, and a little of the new gradient {b}"),
    "adam_square": N_("most of the old mean {a}, and a little of the square of {b}"),
    "adam_update": N_(
        "the weight, less a step: its mean gradient {b}, divided by how large it usually is, times the rate"
    ),
    "concatenate": N_("those kept in the cache, and behind them the new ones, {b}"),
    "argmax": N_("each the place of the largest of the {n} numbers in a row of {a}"),
    "attention_back": N_("each the sum, over the queries that see a key, of the products of {a} and {b}"),
    "attention_mix": N_("the rows of {b}, each times its share in {a}, added up"),
    "attention_products": N_("each the products of a row of {a} and a row of {b}, added up; later tokens do not count"),
    "attention_scores": N_(
        "each compares a row of {a} with one of {b}: the products of their {n} features added up, divided by √{n}"
    ),
    "causal_softmax_gradient": N_(
        "each share in {a}, times how much the gradient of that share, in {b}, lies above the mean of its row"
    ),
    "clip_factor": N_("the longest that is allowed, divided by {a}; 1 if that is not too long"),
    "cross_entropy": N_(
        "the logarithm of the sum of e to the power of each score, less the score of the token that came"
    ),
    "cross_entropy_v1": N_(
        "the logarithm of the sum of e to the power of each score, less the score of the token that came"
    ),
    "cross_entropy_gradient": N_(
        "the probability of each token, less 1 for the one that really follows; times the gradient of the loss"
    ),
    "sgd_step": N_("the weight, less {b} times the rate"),
    "divide_by": N_("the numbers of {a}, each divided by the same one"),
    "dropout": N_("the numbers of {a}, some of them 0 at random, the others a little larger instead"),
    "embedding_gradient": N_("the rows of {b}, added up for every row of the table that was read; {a} says which"),
    "gelu_erf_gradient": N_("{b}, times how steep the bent curve is at {a}"),
    "gelu_tanh_gradient": N_("{b}, times how steep the bent curve is at {a}"),
    "layer_norm_gradient": N_(
        "{b} times the gain, less what would only move the row of {a} or spread it; divided by its spread"
    ),
    "merge_heads": N_("the numbers of {a}, the heads side by side"),
    "multiply_scalar": N_("the numbers of {a}, each times {b}"),
    "normalise": N_("the rows of {a}, moved to mean 0 and spread 1"),
    "sum_outer_products": N_("each a sum over all positions: a number of {a} times a number of {b}"),
    "regularise": N_("{a}, and a share of the weight itself"),
    "select": N_("one row of {b}; {a} says which"),
    "sample": N_("the place in {a} to which the random number {b} points"),
    "top_k": N_("the largest of the {n} numbers of {a}, −∞ for the others"),
    "top_p": N_("the largest of the {n} numbers of {a} whose probabilities reach p, −∞ for the others"),
    "causal_softmax": N_(
        "e to the power of each number of {a}, divided by the sum of these; later tokens do not count, and get 0"
    ),
    "embedding": N_("rows of a learned table; {a} says which row"),
    "gelu_erf": N_("the numbers of {a}, bent: negative ones to nearly 0, large ones stay (GELU)"),
    "gelu_tanh": N_("the numbers of {a}, bent: negative ones to nearly 0, large ones stay (GELU)"),
    "layer_norm": N_("the rows of {a}, moved to mean 0 and spread 1, then times a gain, plus a bias"),
    "linear": N_("each a weighted sum of the {n} numbers in a row of {a}"),
    "linear_from_heads": N_("each a weighted sum of all the {n} numbers that the heads have for a token in {a}"),
    "linear_to_heads": N_("each a weighted sum of the {n} numbers in a row of {a}"),
    "sum_products": N_("each a sum over all positions: a number of {a} times the one at the same place of {b}"),
    "relu": N_("the numbers of {a}, but 0 for negative ones"),
    "sqrt": N_("the root of {a}"),
    "squared_norm": N_("the numbers in each row of {a}, each times itself, added up"),
    "sum_positions": N_("each a sum over all positions of {a}"),
    "identity": N_("the numbers of {a}: an addition hands its gradient on as it is"),
    "scale": N_("the numbers of {a}, each times the same one"),
    "softmax": N_("e to the power of each number of {a}, divided by the sum of these"),
    "split_heads": N_("the numbers of {a}, dealt out to the heads"),
    "broadcast": N_("{a}, everywhere the same"),
    "sum_all": N_("all numbers of {a}, added up"),
    "momentum": N_("what is left of the movement before, {a}, and the gradient {b}"),
}
TABLES = {
    "tokens": N_("rows of a learned table; the token's number says which row"),
    "positions": N_("rows of a learned table; the token's place says which row"),
}
BIAS = N_("{made}, plus a bias")
MOST = 6
"""So many numbers are shown at most."""


def how(step: Step) -> str:
    """How its numbers are made, in one sentence."""
    source, record = step.trace, step.record
    if step.op not in HOW:
        inputs = listed(record.inputs)
        return _("{formula}, of {inputs}", formula=formula_words(OPS[step.op].formula), inputs=inputs)
    shape = source.shape(record.inputs[0])
    count = shape[-1] * (shape[-3] if step.op == "linear_from_heads" else 1) if shape else 1
    names = dict(zip("ab", record.inputs, strict=False))
    made = TABLES.get(record.inputs[0], HOW[step.op]) if step.op == "embedding" else HOW[step.op]
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
