"""Argument sets for any op, read from `Op.shapes` and filled from one seed: all sizes and all kinds of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.ops import Op
from llmtrace.ops.shapes import Shape, added, letters, parse

__all__ = ["Arguments", "assemble", "filled", "sample", "setting_pool", "specials"]

T = TypeVar("T")

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
SIZES = (0, 1, 7, 8, 9, 17, 33)
"""None, one, and round about the widths of vector registers; every other size up to 40 comes too."""
SMALL = 3
"""The largest size of small argument sets."""
LONG = (63, 64, 65, 129, 513)
"""Beyond one panel of columns, one block of queries, one segment of a sum; one letter of a set at most."""


@frozen
class Arguments:
    """What an op is called with: its inputs and weights in order, by name, and its settings."""

    tensors: dict[str, Array | None]
    settings: dict[str, Any] = field(default_factory=dict)

    def call(self, function: Callable[..., Any], **more: Any) -> Any:
        """`function(*tensors, **settings)`, without NumPy's warnings: NaN, infinity and overflow are meant here."""
        with np.errstate(all="ignore"):
            return function(*self.tensors.values(), **self.settings, **more)

    def having(self, **changed: Any) -> Arguments:
        """The same with some tensors or settings replaced."""
        tensors = {name: changed.get(name, tensor) for name, tensor in self.tensors.items()}
        settings = {name: changed.get(name, value) for name, value in self.settings.items()}
        return Arguments(tensors, settings)

    def cast(self, dtype: npt.DTypeLike) -> Arguments:
        """The same with all reals in another type."""
        reals = {name: t for name, t in self.tensors.items() if t is not None and t.dtype.kind == "f"}
        with np.errstate(all="ignore"):
            return self.having(**{name: tensor.astype(dtype) for name, tensor in reals.items()})

    def copy(self) -> Arguments:
        """The same in fresh memory."""
        return self.having(**{name: tensor.copy() for name, tensor in self.tensors.items() if tensor is not None})

    def __repr__(self) -> str:
        with np.printoptions(threshold=80, precision=17, floatmode="unique"):
            return ", ".join(f"{name} = {value!r}" for name, value in {**self.tensors, **self.settings}.items())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # how Hypothesis shows a failing example
        printer.text(repr(self))


@cache
def specials(dtype: np.dtype[Any]) -> Sequence[float]:
    """NaN, ±∞, ±0, the largest, the least normal, the least subnormal, and where exp overflows."""
    info = np.finfo(dtype)
    sizes = (
        0.0,
        1.0,
        float(info.max),
        float(info.tiny),
        float(info.smallest_subnormal),
        float(info.tiny) / 8,
        1e4,
        88.7,
    )
    return (math.nan, math.inf, -math.inf, *sizes, *(-size for size in sizes))


def choose(rng: np.random.Generator, options: Sequence[T]) -> T:
    """The one that `rng.choice` would choose, without an array being made of them."""
    return options[int(rng.integers(len(options)))]


def drawn(rng: np.random.Generator, options: Sequence[float], shape: int | tuple[int, ...]) -> Array:
    """Those that `rng.choice` would draw, in a fifth of its time for a few."""
    return np.asarray(options)[rng.integers(len(options), size=shape)]


def filled(rng: np.random.Generator, shape: tuple[int, ...], dtype: npt.DTypeLike, special: bool) -> Array:
    """Numbers of one style: normal, whole (with ties), as far as exp goes, ±0 and ±1, of all sizes; some special.

    Those of small arrays also of any bits, all special, or often NaN.
    """
    few = math.prod(shape) <= SMALL**3
    styles = ["reach", "zeros", "wide", *(["bits", "special", "nan", "nan"] if few else [])] if special else []
    style = choose(rng, ["normal", "normal", "whole", *styles])
    if style == "bits":
        return np.frombuffer(rng.bytes(math.prod(shape) * np.dtype(dtype).itemsize), dtype).reshape(shape).copy()
    if style == "special":
        return np.asarray(drawn(rng, specials(np.dtype(dtype)), shape), dtype)
    values = rng.standard_normal(shape)
    if style == "whole":
        values = np.round(2 * values)
    elif style == "reach":
        values = rng.uniform(-1.2, 1.2, shape) * np.log(float(np.finfo(dtype).max))
    elif style == "zeros":
        values = drawn(rng, [0.0, -0.0, 0.0, -0.0, 1.0, -1.0], shape)
    elif style == "wide":
        reach = np.finfo(dtype).maxexp
        values = np.ldexp(values, rng.integers(-reach - 10, reach - 3, shape))
    elif style == "nan":
        values = np.where(rng.random(shape) < 0.4, np.nan, values)
    values = np.asarray(values)
    if special and values.size:
        odd = choose(rng, [0, 0, 0, 1, 2, values.size if few else values.size // 8 + 1])
        if odd:
            values.reshape(-1)[rng.integers(0, values.size, odd)] = drawn(rng, specials(np.dtype(dtype)), odd)
    with np.errstate(over="ignore", under="ignore"):
        return values.astype(dtype)


def sample(
    op: Op,
    seed: int,
    dtype: npt.DTypeLike | None = None,
    special: bool = True,
    small: bool = False,
    turn: int | None = None,
) -> Arguments:
    """The argument set of a seed; a small one has no size above `SMALL`, where an op allows that.

    turn: sets with turns from 0 on have each of the long sizes for each letter in turn, which chance might leave out.
    """
    rng = np.random.default_rng(seed)
    real = np.dtype(dtype) if dtype is not None else FLOATS[rng.integers(2)]
    if small:
        alone = rng.random() < 0.1
        choices = (1,) if alone else (1, 2, SMALL, 0, 1)
        known = {letter: max(low, choose(rng, choices)) for letter, low in letters(op.shapes).items()}
        known |= dict.fromkeys(added(op.shapes, op.tensors), 0) if alone else {}
        lead = () if alone else tuple(map(int, rng.integers(0, SMALL + 1, rng.integers(2))))
    else:
        known = sizes(rng, op, 40 if real == np.float32 else 17, turn)
        lead = leading_axes(rng, real, known)

    def fill(shape: Shape, size: tuple[int, ...]) -> Array | None:
        if shape.below:
            return rng.integers(0, max(1, known[shape.below]), size)
        return None if shape.optional and rng.random() < 0.4 else filled(rng, size, real, special)

    pools = {name: setting_pool(op.shapes[name], known, special) for name in op.shapes if name not in op.tensors}
    settings = {name: choose(rng, pool) for name, pool in pools.items()}
    return assemble(op, lead, known, fill, settings)


def assemble(
    op: Op,
    lead: tuple[int, ...],
    known: dict[str, int],
    fill: Callable[[Shape, tuple[int, ...]], Array | None],
    settings: dict[str, Any],
) -> Arguments:
    """The argument set of these sizes: `fill` makes each tensor; a weight that a setting turns is turned."""
    shapes = {name: parse(op.shapes[name]) for name in op.tensors}
    if any(shape.below and not known[shape.below] for shape in shapes.values()):
        lead = (0,)  # an empty table has no rows to name
    tensors = {name: fill(shape, shape.of(lead, known)) for name, shape in shapes.items()}
    for name, value in settings.items():
        turned = op.shapes[name].removeprefix("turns ")
        weight = tensors.get(turned)
        if value is True and weight is not None:
            tensors[turned] = np.ascontiguousarray(weight.T)
    return Arguments(tensors, settings)


def sizes(rng: np.random.Generator, op: Op, most: int, turn: int | None) -> dict[str, int]:
    """A size for every letter: up to `most`, or all 1, or one long and the others short; one only added often 0."""
    least, only_added = letters(op.shapes), added(op.shapes, op.tensors)
    long = None
    if turn is None:
        if rng.random() < 0.05:
            return dict.fromkeys(least, 1) | dict.fromkeys(only_added, 0)
        long = choose(rng, list(least)) if least and rng.random() < 0.25 else None
    elif least and turn % 4 == 0:
        long = list(least)[turn // 4 % len(least)]
    lengths = LONG[:3] if only_added and long != "D" else LONG  # positions by positions grow fast
    length = choose(rng, lengths) if turn is None else lengths[-1 - turn // 4 // max(1, len(least)) % len(lengths)]
    usual = [size for size in SIZES if size <= most]
    known = {}
    for letter, low in least.items():
        if letter == long:
            known[letter] = length
        elif letter in only_added and rng.random() < 0.4:
            known[letter] = 0
        elif long:
            known[letter] = max(low, choose(rng, (0, 1, 2, 3, 5, 9)))
        else:
            known[letter] = max(low, choose(rng, usual) if rng.random() < 0.5 else int(rng.integers(0, most + 1)))
    return known


def leading_axes(rng: np.random.Generator, real: np.dtype[Any], known: dict[str, int]) -> tuple[int, ...]:
    """Up to three leading axes: short ones before sizes with letters, any where there are no letters."""
    if not known:
        most = 5000 if real == np.float32 else 120
        lead = [choose(rng, SIZES) if rng.random() < 0.5 else int(rng.integers(2, 41)) for _ in range(rng.integers(4))]
    else:
        room = 4000 if real == np.float32 else 400
        most = max(1, room // math.prod(max(1, size) for size in known.values()))
        lead = [choose(rng, (0, 1, 2, 3, 5, 17)) for _ in range(rng.integers(3))]
    while math.prod(lead) > most:
        lead = lead[1:] if len(lead) > 1 else [most]
    return tuple(lead)


def setting_pool(text: str, known: dict[str, int], special: bool) -> list[Any]:
    """What a setting may be, by its kind."""
    if text == "real":
        odd = [-1 / 3, 1 + 2.0**-30, 1e-45, 1e39, math.inf, math.nan, -0.0]
        return [1.0, 0.5, -3.0, 0.1, 0.7, *(odd if special else [])]
    if text == "small":
        return [1e-5, 1e-6, 0.1, 1.0, *([0.0, 1e-12, 1e-45] if special else [])]
    if text == "rate":
        return [0.0, 0.1, 0.5, 0.9, *([1 - 2.0**-30, 1e-45] if special else [])]
    if text == "whole":
        return [0, 1, 7, 123456789, 1 << 53]
    if text == "share":
        return [0.123, 0.3141, 0.618, 0.9, 1.0, *([1e-30] if special else [])]
    if text == "count":
        return [1, 2, 3, 7, 40]
    if text == "flag" or text.startswith("turns "):
        return [False, True]
    return [known[text.partition("≥")[0]]]
