"""What the names in a traced training step say: `d.X` is the gradient of X, `new.X` the weight X after the step, and so on."""

from __future__ import annotations

from typing import Protocol

from llmtrace.frozen import frozen
from llmtrace.trace.step import Record

OF_WEIGHTS = ("squares.total", "squares", "clipped", "penalised", "mean", "square", "velocity", "new")
"""What a step computes of every weight's gradient: the first part of the names."""


class Names(Protocol):
    """What is asked of a trace."""

    def knows(self, name: str) -> bool:
        """Whether a step, a given tensor or a weight has that name."""

    def record_of(self, name: str) -> Record | None:
        """What was done in the step of that name."""


@frozen
class Role:
    """What a tensor has to do with another one, `base`."""

    kind: str
    """gradient, part (of one), sum (of its first parts), start (of a part), way (to the gradients behind a step), one of
    OF_WEIGHTS, before (what the optimiser remembered), norm, clip."""
    base: str = ""
    via: str = ""
    """Of a part, the step that it comes from; of a sum, how many parts; of what was before, what it is now."""


def role_of(trace: Names, name: str) -> Role | None:
    """The role of a tensor in training; None for one of the forward."""
    if name.startswith("d."):
        return _gradient(trace, name.removeprefix("d."))
    for kind in OF_WEIGHTS:
        rest = name.removeprefix(f"{kind}.")
        if rest != name and trace.knows(f"d.{rest}"):
            return Role(kind, rest)
        if rest.startswith("before.") and trace.knows(f"d.{rest[len('before.') :]}"):
            return Role("before", rest[len("before.") :], kind)
    record = trace.record_of(name)
    if record is not None and record.op == {"norm": "sqrt", "clip": "clip_factor"}.get(name):
        return Role(name)
    return None


def _gradient(trace: Names, rest: str) -> Role:
    if trace.knows(rest):
        return Role("gradient", rest)
    for mark, kind in ((".from.", "part"), (".sum.", "sum")):
        base, found, via = rest.partition(mark)
        if found and trace.knows(base) and (kind == "part" or via.isdecimal()):
            return Role("start" if via.endswith(".before") else kind, base, _step(trace, via))
    base = rest
    while base and not trace.knows(base):
        base = base.rpartition(".")[0]
    return Role("start" if rest == f"{base}.before" else "way", base, rest[len(base) + 1 :])


def _step(trace: Names, via: str) -> str:
    """The step that a part comes from: where it uses a tensor twice, the name has a number more."""
    via = via.removesuffix(".before")
    shorter, _dot, number = via.rpartition(".")
    return shorter if number.isdecimal() and not trace.knows(via) and trace.knows(shorter) else via
