"""The steps of a run as a story: the embedding, each block's attention and MLP, the scores, the next token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from llmtrace.trace import Step, Trace
from llmtrace.words import N_, _

EMBEDDING = N_(
    "Every token becomes a row of numbers, its features: a row that the model has learned for the token, plus a row"
    " that it has learned for the place. This row is then carried on from block to block (the residual stream)."
)
ATTENTION = N_(
    "The tokens exchange information. Each asks a question (query), which is compared with the label (key) of itself"
    " and of every earlier token. How well they fit decides what share each has in the sum of what they hand over"
    " (value)."
)
MLP = N_(
    "Each token is worked on by itself: many neurons look for patterns in its features, and what they find is added to"
    " them."
)
NORM = N_("The features of each token are brought to a standard spread once more.")
SCORES = N_("The features of each token are compared with what the model has learned for each token it knows.")
NEXT = N_("The scores become probabilities that add up to 1. The largest tells the most likely next token.")


@dataclass
class Part:
    """Steps that belong together. `block` is the number of their block, if they are in one."""

    title: str
    sentence: str
    block: int | None = None
    steps: list[Step] = field(default_factory=list)


def parts(trace: Trace) -> list[Part]:
    """All steps of a trace, in order, in parts."""
    found: list[Part] = []
    for step in trace.steps:
        title, sentence, block = _place(step.name)
        if not found or (found[-1].title, found[-1].block) != (title, block):
            found.append(Part(title, sentence, block))
        found[-1].steps.append(step)
    return found


def blocks(found: list[Part]) -> list[int]:
    """The numbers of the blocks there are."""
    return sorted({part.block for part in found if part.block is not None})


def _place(name: str) -> tuple[str, str, int | None]:
    pieces = name.split(".")
    if pieces[0] == "block" and len(pieces) > 2 and pieces[1].isdecimal():
        block = int(pieces[1])
        if pieces[2] in {"ln_2", "mlp", "residual_out"}:
            return _("Block {n}: MLP").format(n=block), _(MLP), block
        return _("Block {n}: attention").format(n=block), _(ATTENTION), block
    for first, title, sentence in _OTHERS:
        if pieces[0] in first:
            return _(title), _(sentence), None
    return _("Other steps"), "", None


_OTHERS = (
    ({"embed"}, N_("Embedding"), EMBEDDING),
    ({"ln_f"}, N_("Final norm"), NORM),
    ({"logits"}, N_("Scores"), SCORES),
    ({"probabilities", "next_token"}, N_("Next token"), NEXT),
)


def examples(trace: Trace, part: Part, first: bool, every: bool) -> Iterator[str]:
    """The addresses of the numbers that show best what a part does; more of them where it is shown `first`."""
    names = [step.name for step in part.steps]
    for name in names:
        last = name.rpartition(".")[2]
        if every or last in {"embed", "scores", "up", "logits", "probabilities"} or (first and last in {"ln_1", "act"}):
            yield telling(trace, name)


def telling(trace: Trace, name: str) -> str:
    """The address of a telling number of a step: at the last position, the largest; of scores, those looked at most."""
    step = trace[name]
    index: dict[str, int] = {"batch": 0} if step.axes[:1] == ("batch",) else {}
    axes = step.axes
    for axis, size in zip(axes, step.record.shape, strict=True):
        if axis in {"position", "query"}:
            index[axis] = size - 1
    values = abs(step.output) if axes[-1:] == ("feature",) else step.output
    prefix = name.rpartition(".")[0]
    if name.endswith((".scores", ".pattern")) and f"{prefix}.pattern" in trace:
        values = trace.tensor(f"{prefix}.pattern")
    elif name.endswith((".up", ".act")) and f"{prefix}.act" in trace:
        values = abs(trace.tensor(f"{prefix}.act"))
    part = values[tuple(index.get(axis, slice(None)) for axis in axes)]
    best = iter(_unravel(int(part.argmax()), part.shape))
    return f"{name}[{', '.join(f'{axis}={index[axis] if axis in index else next(best)}' for axis in axes)}]"


def _unravel(flat: int, shape: tuple[int, ...]) -> list[int]:
    places: list[int] = []
    for size in reversed(shape):
        places.insert(0, flat % size)
        flat //= size
    return places
