"""Errors planted on purpose, each with the name of the check that must catch it (see `contract/test_mutants.py`)."""

from dataclasses import dataclass, replace

import numpy as np

from llmtrace import _kernels
from llmtrace.ops import OPS, Op


@dataclass(frozen=True)
class Planted:
    """A wrong op, and the check that must notice."""

    name: str
    op: Op
    check: str


PLANTED: list[Planted] = []
PARTS = {"forward": "forward", "bound": "meaning", "backward": "backward", "explain": "explain", "refusals": "forward"}
PARTS |= {"formula": "formula", "axes": "axes", "part": "part"}


def plant(name, op, check="forward", whole=False):
    """Decorates a wrong version of the part of an op that the check looks at.

    A wrong `forward` is written like a meaning, without `empty`, unless `whole`.
    """

    def register(function):
        part = compiled(OPS[op], function) if PARTS[check] == "forward" and not whole else function
        PLANTED.append(Planted(name, replace(OPS[op], **{PARTS[check]: part}), check))
        return function

    return register


def plant_formula(name, op, formula):
    """A wrong formula, which stands above every explanation."""
    PLANTED.append(Planted(name, replace(OPS[op], formula=formula), "formula"))


def compiled(op, function):
    """A `forward` by a NumPy function, written where `empty` says; packed weights go to the op's own."""

    def forward(*tensors, empty=np.empty, **settings):
        if any(isinstance(tensor, _kernels.PackedMatrix) for tensor in tensors):
            return op.forward(*tensors, empty=empty, **settings)
        result = np.asarray(function(*tensors, **settings))
        out = empty(result.shape, result.dtype)
        out[...] = result
        return out

    return forward


def meaning(op):
    """The true one."""
    return OPS[op].meaning


from mutants import (  # noqa: E402
    attention,
    backward,
    choices,
    descriptions,
    elements,
    explanations,
    gradients,
    llama,
    parts,
    promises,
    rows,
    sums,
    training,
)

__all__ = [
    "PLANTED",
    "Planted",
    "attention",
    "backward",
    "choices",
    "descriptions",
    "elements",
    "explanations",
    "gradients",
    "llama",
    "parts",
    "promises",
    "rows",
    "sums",
    "training",
]
