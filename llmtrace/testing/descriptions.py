"""The checks of what an op says of itself: its formula gives what it means, and its axes are called as their sizes want it."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from llmtrace import rng
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.ops import Op
from llmtrace.ops.shapes import parse
from llmtrace.testing.bounds import bound
from llmtrace.testing.compare import described
from llmtrace.testing.formulas import Named, evaluate, number
from llmtrace.testing.sampling import Arguments

__all__ = ["AXES", "IN_WORDS", "check_axes", "check_formula"]

MOVED = (
    "broadcast",
    "concatenate",
    "embedding",
    "embedding_gradient",
    "merge_heads",
    "repeat_heads",
    "select",
    "slice_positions",
    "split_heads",
)
CHOSEN = ("argmax", "repetition_penalty", "sample", "top_k", "top_p")
IN_WORDS = frozenset((*MOVED, *CHOSEN, "rotate", "sum_heads"))
"""The ops that move or choose numbers, or work on pairs or groups of them: their formula is a sentence, or a pair."""

GREEK = {"ε": "epsilon", "β": "beta"}
SLACK = 1e-9
"""Of the sizes of the numbers: the formula is computed in float64, in another order."""


def check_formula(op: Op, arguments: Arguments) -> None:
    """`formula`, read and computed in float64, gives the numbers of `meaning`, where sums begin at 0."""
    if op.name in IN_WORDS:
        return
    wide = _masked(op, _unturned(op, arguments.cast(np.float64).having(initial=None)))
    expected = np.asarray(wide.call(op.meaning))
    if not expected.size:
        return
    letters = _sizes(op, wide)
    out = _named(op.out, expected, letters).axes
    first, whole = parse(op.shapes[op.inputs[0]]), parse(op.out)
    row = first.sizes[-1] if first.sizes and (first.leading, first.sizes) == (whole.leading, whole.sizes) else None
    try:
        with np.errstate(all="ignore"):
            found = evaluate(op.formula, _names(op, wide, letters), out, row)
    except ValueError as error:
        raise AssertionError(f"the formula of {op.name}: {error}") from error
    order = [found.axes.index(axis) for axis in out if axis in found.axes]
    missing = tuple(place for place, axis in enumerate(out) if axis not in found.axes)
    value = np.expand_dims(found.data.transpose(order), missing).reshape(expected.shape)
    room = 8 * bound(op, wide, np.float64).error + SLACK * (1 + np.abs(expected))
    with np.errstate(all="ignore"):
        right = (np.abs(value - expected) <= room) | (value == expected) | (np.isnan(value) & np.isnan(expected))
    wrong = ~right & _seen(op.out, expected.shape)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(
            f"the formula of {op.name}, {op.formula!r}, gives {value[place]!r} at {list(place)}, but the meaning"
            f" {expected[place]!r}{described(wide)}"
        )


def _unturned(op: Op, arguments: Arguments) -> Arguments:
    """With every weight as the formula has it, not transposed."""
    changed: dict[str, Any] = {}
    for setting, value in arguments.settings.items():
        name = op.shapes[setting].removeprefix("turns ")
        tensor = arguments.tensors.get(name)
        if value is True and tensor is not None:
            changed |= {name: np.ascontiguousarray(tensor.T), setting: False}
    return arguments.having(**changed)


def _masked(op: Op, arguments: Arguments) -> Arguments:
    """With −∞ among scores, and 0 elsewhere, at the keys that a query does not see: formulas do not speak of them."""
    hidden = -np.inf if "exp" in op.formula else 0.0
    changed = {}
    for name, tensor in arguments.tensors.items():
        if tensor is not None and tensor.dtype.kind == "f":
            changed[name] = np.where(_seen(op.shapes[name], tensor.shape), tensor, hidden)
    return arguments.having(**changed)


def _seen(text: str, shape: tuple[int, ...]) -> Array:
    """Which places count: of queries by keys, the keys up to the query's own."""
    if parse(text).sizes != ("T", "P+T"):
        return np.ones(shape, bool)
    queries, keys = shape[-2:]
    return np.broadcast_to(np.tri(queries, keys, keys - queries, dtype=bool), shape)


def _sizes(op: Op, arguments: Arguments) -> dict[str, int]:
    """The size of every letter, and of every sum of letters."""
    known = {_plain(op.shapes[n]): int(v) for n, v in arguments.settings.items() if op.shapes[n][:1].isupper()}
    products = []
    for name, tensor in arguments.tensors.items():
        sizes = parse(op.shapes[name]).sizes
        if tensor is not None:
            for size, count in zip(sizes, tensor.shape[tensor.ndim - len(sizes) :], strict=True):
                if "·" in size:
                    products.append((size.split("·"), count))
                else:
                    known[_plain(size)] = count
    for letters, count in products:
        others = math.prod(known.get(letter, 1) for letter in letters)
        known |= {letter: count // max(1, others) for letter in letters if letter not in known}
    return known


def _plain(size: str) -> str:
    return size.partition("≥")[0]


def _named(text: str, tensor: Array, known: Mapping[str, int]) -> Named:
    """A tensor with the letters of its axes; an axis whose size is a product has one for each factor."""
    sizes = [letter for size in parse(text).sizes for letter in (size.split("·") if "·" in size else [_plain(size)])]
    leading = tensor.shape[: tensor.ndim - len(parse(text).sizes)]
    shape = (*leading, *(known[size] for size in sizes))
    return Named((*(f"*{i}" for i in range(len(leading))), *sizes), tensor.reshape(shape))


def _names(op: Op, arguments: Arguments, known: Mapping[str, int]) -> dict[str, Named]:
    """What each word of a formula stands for: sizes, settings, statistics of the rows of x, tensors."""
    names = {size: number(count) for size, count in known.items()}
    names |= {name: number(value) for name, value in arguments.settings.items()}
    names |= {sign: names[setting] for sign, setting in GREEK.items() if setting in names}
    x = arguments.tensors[op.inputs[0]]
    assert x is not None
    if x.ndim and x.shape[-1]:
        rows = _named(op.shapes[op.inputs[0]], x, known)
        for word, value in (("mean", x.mean(-1)), ("variance", x.var(-1)), ("maximum", x.max(-1))):
            names[word] = Named(rows.axes[:-1], value)
    if "seed" in arguments.settings:
        u = rng.uniform(arguments.settings["seed"], arguments.settings["first"] + np.arange(x.size, dtype=np.uint64))
        names["u"] = Named(_named("*", x, known).axes, u.reshape(x.shape))
    for name, tensor in arguments.tensors.items():
        names[name] = number(0) if tensor is None else _named(op.shapes[name], tensor, known)
    return names


# ---- axes ------------------------------------------------------------------------------------------------------------

AXES = {
    "head": {"H"},
    "query": {"T"},
    "key": {"P+T"},
    "position": {"T", "P+T"},
    "feature": {"C", "D", "N", "H·D"},
    "vocabulary": {"N"},
    "output": {"N"},
    "neuron": {"N"},
}
"""The names that an op itself gives to axes, and the letters of the sizes that axes of these names have (docs/notation.md)."""


def check_axes(op: Op, arguments: Arguments) -> None:
    """The axes of the result have names that differ, one for each; and each is called as an input's axis of the same size is,
    whatever that is called, or has one of the names of `AXES` for its size.
    """
    rank = np.ndim(arguments.call(op.meaning))
    sizes: dict[str, str] = {}  # of the inputs' axes, by names that nothing else has
    given: list[Axes | None] = []
    for name, tensor in arguments.tensors.items():
        letters = [] if tensor is None else _letters(op.shapes[name], tensor.ndim)
        named = {f"{name}_{place}": letter for place, letter in enumerate(letters)}
        sizes |= named
        given.append(None if tensor is None else tuple(named))
    try:
        found = op.axes(*given)
    except ValueError:  # the gradient of a weight, whose axes are called as those of the weight
        return
    if len(found) != rank or len({*found}) != rank:
        raise AssertionError(f"{op.name} calls the {rank} axes of its result {found}{described(arguments)}")
    for axis, size in zip(found, _letters(op.out, rank), strict=True):
        if not (_alike(size, sizes[axis]) if axis in sizes else size in AXES.get(axis, ())):
            raise AssertionError(f"{op.name} calls an axis of size {size} {axis}{described(arguments)}")


def _letters(text: str, rank: int) -> list[str]:
    """The sizes of the axes of a tensor, those of the leading ones by their places."""
    sizes = parse(text).sizes
    return [*map(str, range(rank - len(sizes))), *sizes]


def _alike(size: str, other: str) -> bool:
    """Whether two sizes have a letter in common: one that was cut from the other, or joined to it."""
    return bool({*re.findall(r"\w", _plain(size))} & {*re.findall(r"\w", _plain(other))})
