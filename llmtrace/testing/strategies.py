"""Hypothesis strategies: arrays with every kind of number, and argument sets for any op, from `Op.shapes`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from llmtrace.ops import Op
from llmtrace.ops.op import Array
from llmtrace.testing.shapes import Shape, added, letters, parse

__all__ = ["Arguments", "arguments", "arrays"]

Draw = Callable[[st.SearchStrategy[Any]], Any]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
SIZES = (1, 7, 8, 9, 17, 33)
"""Round about the widths of vector registers; every other size up to 40 comes too."""
LONG = (63, 64, 65, 129, 513)
"""Beyond one panel of columns, one block of queries, one segment of a sum; one letter of a set at most."""
FEW = 12
"""Up to so many numbers are drawn one by one, so that a failing example becomes simple; more come from a seed."""


@dataclass(frozen=True)
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
        return ", ".join(f"{name} = {value!r}" for name, value in {**self.tensors, **self.settings}.items())


def specials(dtype: npt.DTypeLike) -> list[float]:
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
    return [math.nan, math.inf, -math.inf, *sizes, *(-size for size in sizes)]


def numbers(dtype: npt.DTypeLike, special: bool) -> st.SearchStrategy[float]:
    """One float of the type: any at all, or, not special, an ordinary one of at most 8 in size."""
    width = np.dtype(dtype).itemsize * 8
    ordinary = st.floats(-8, 8, width=width, allow_subnormal=False)  # type: ignore[arg-type]
    return st.one_of(ordinary, st.sampled_from(specials(dtype)), st.floats(width=width)) if special else ordinary  # type: ignore[arg-type]


def seeded(seed: tuple[int, int], style: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Many numbers from a seed: normal or whole ones (with ties), mostly ±0, of all magnitudes, or special."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    if style == "whole":
        values = np.round(2 * values)
    elif style == "wide":
        reach = np.finfo(dtype).maxexp
        values = np.ldexp(values, rng.integers(-reach - 10, reach - 3, shape))
    elif style == "zeros":
        values = rng.choice([0.0, -0.0, 0.0, -0.0, 1.0, -1.0], shape)
    elif style == "special":
        values = np.where(rng.random(shape) < rng.choice([0.01, 0.2]), rng.choice(specials(dtype), shape), values)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(values, dtype)


@st.composite
def arrays(
    draw: Draw, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32, special: bool = True, which: int = 0
) -> Array:
    """Arrays of this shape and type. `special`: with NaN, ±∞, −0, subnormal and huge numbers; otherwise ordinary
    finite ones.

    Several arrays of one example should have different numbers `which`, since Hypothesis likes to draw one seed again
    and again.
    """
    size = math.prod(shape)
    if size <= FEW:
        one_by_one = draw(st.lists(numbers(dtype, special), min_size=size, max_size=size))
        return np.array(one_by_one, dtype).reshape(shape)
    styles = ["normal", "normal", "whole", "zeros", "wide", "special"] if special else ["normal", "normal", "whole"]
    return seeded((draw(st.integers(0, 2**32 - 1)), which), draw(st.sampled_from(styles)), shape, dtype)


@st.composite
def arguments(
    draw: Draw, op: Op, dtype: npt.DTypeLike | None = None, special: bool = True, most: int | None = None
) -> Arguments:
    """Full argument sets for an op: its tensors in one type (drawn, or `dtype`), all sizes as `Op.shapes` wants them.

    `special` as for `arrays`; `most`, where given, is the largest size of any axis.
    """
    real = np.dtype(dtype) if dtype is not None else draw(st.sampled_from(FLOATS))
    shapes = {name: parse(op.shapes[name]) for name in (*op.inputs, *op.weights)}
    if most is None:
        known = draw(sizes(letters(op), 40 if real == np.float32 else 17, added(op)))
        lead = draw(leading_axes(real, known))
    else:
        known = {letter: draw(st.integers(min(least, most), most)) for letter, least in letters(op).items()}
        lead = tuple(draw(st.lists(st.integers(0, most), max_size=1)))
    if any(shape.below and not known[shape.below] for shape in shapes.values()):
        lead = (0,)  # an empty table has no rows to name
    tensors = {}
    for which, (name, shape) in enumerate(shapes.items()):
        size = shape.of(lead, known)
        tensors[name] = draw(tensor(shape, size, known, arrays(size, real, special, which)))
    settings = {name: draw(setting(op.shapes[name], known, special)) for name in op.shapes if name not in shapes}
    for name, value in settings.items():
        turned = op.shapes[name].removeprefix("turns ")
        weight = tensors.get(turned)
        if value is True and weight is not None:
            tensors[turned] = np.ascontiguousarray(weight.T)
    return Arguments(tensors, settings)


@st.composite
def sizes(draw: Draw, least: dict[str, int], most: int, added: frozenset[str]) -> dict[str, int]:
    """A size for every letter: all up to `most`, or one long and the others short; those `added` are often 0."""
    usual = st.one_of(st.sampled_from([size for size in SIZES if size <= most]), st.integers(0, most))
    long = draw(st.sampled_from([None, None, None, None, *least])) if least else None
    if long is None:
        often = st.one_of(st.just(0), usual)
        return {letter: max(low, draw(often if letter in added else usual)) for letter, low in least.items()}
    short = st.sampled_from((1, 2, 3, 0, 5, 9))
    longer = st.sampled_from(LONG[:3] if added else LONG)  # positions by positions grow fast
    return {letter: draw(longer) if letter == long else max(low, draw(short)) for letter, low in least.items()}


@st.composite
def leading_axes(draw: Draw, real: np.dtype[Any], known: dict[str, int]) -> tuple[int, ...]:
    """Up to three leading axes: short ones before sizes with letters, any where there are no others."""
    if not known:
        most = 5000 if real == np.float32 else 120
        lead = draw(st.lists(st.one_of(st.sampled_from((*SIZES, 2, 3)), st.integers(0, 40)), max_size=3))
    else:
        most = max(
            1, (4000 if real == np.float32 else 400) // max(1, math.prod(max(1, size) for size in known.values()))
        )
        lead = draw(st.lists(st.sampled_from((1, 2, 3, 0, 5, 17)), max_size=2))
    while math.prod(lead) > most:
        lead = lead[1:] if len(lead) > 1 else [most]
    return tuple(lead)


def tensor(
    shape: Shape, size: tuple[int, ...], known: dict[str, int], reals: st.SearchStrategy[Array]
) -> st.SearchStrategy[Any]:
    """One input or weight."""
    if shape.below:
        rows = max(1, known[shape.below])
        return st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).integers(0, rows, size))
    return st.one_of(reals, st.none()) if shape.optional else reals


def setting(text: str, known: dict[str, int], special: bool) -> st.SearchStrategy[Any]:
    """One setting, by its kind."""
    if text == "real":
        odd = (0.1, -1 / 3, 1 + 2.0**-30, 1e-45, 1e39, math.inf, math.nan, -0.0)
        return st.one_of(st.floats(-8, 8, allow_subnormal=False), *([st.sampled_from(odd)] if special else []))
    if text == "small":
        return st.sampled_from((1e-5, 1e-6, 0.1, 1.0, *((0.0, 1e-12, 1e-45) if special else ())))
    if text.startswith("turns "):
        return st.booleans()
    return st.just(known[text.partition("≥")[0]])
