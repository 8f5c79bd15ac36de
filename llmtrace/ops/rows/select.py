"""One row of many, selected by an index: the scores after one token of a text."""

import numpy as np

from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Empty
from llmtrace.i18n import N_
from llmtrace.ops.op import Op, expect_axes, expect_real, flatten_leading, new_array
from llmtrace.ops.part import Asked, Part, within


def meaning(index: Array, x: Array) -> Array:
    """index [*] from 0 to T − 1, x [*, T, V] → [*, V]: row `index` of x."""
    return np.take_along_axis(x, index[..., None, None], axis=-2)[..., 0, :]


def forward(index: Array, x: Array, *, empty: Empty = np.empty) -> Array:
    """`meaning`, copied to `empty`; an index that x does not have raises IndexError."""
    expect_axes(x, 2, "x")
    expect_real(x, "x")
    if index.dtype != np.int64 or not index.dtype.isnative:
        raise TypeError(f"index must be int64, not {index.dtype}")
    if index.shape != x.shape[:-2]:
        raise ValueError(f"index has shape {index.shape}, but x has shape {x.shape}: give one index for each x[T, V]")
    flatten_leading(x, "x", 2), flatten_leading(index, "index", 0)
    if index.size and not 0 <= index.min() <= index.max() < x.shape[-2]:
        raise IndexError(f"there is no row {index.max() if index.min() >= 0 else index.min()}; x has {x.shape[-2]}")
    out = new_array(empty, (*x.shape[:-2], x.shape[-1]), x.dtype, index, x)
    out[...] = meaning(index, x)
    return out


def explain(w: Derivation) -> None:
    """Nothing is computed: the number stands in that row."""
    *leading, feature = w.index
    index = w["index"][tuple(leading)]
    w.look_up("out", index, w["x"][(*leading, int(index.values), feature)])


def part(asked: Asked) -> Part:
    """The rows from the first to the last that is picked; counted from that first one."""
    *leading, _last = asked.box
    index = asked.read("index")[within(tuple(leading))]
    rows = range(int(index.min()), int(index.max()) + 1)
    if not 0 <= rows.start < rows.stop <= asked.shape_of("x")[-2]:
        raise IndexError(f"there is no row {rows.stop - 1 if rows.start >= 0 else rows.start}")
    features = range(asked.shape[-1])
    return Part((*leading, features), {"x": (*leading, rows, features)}, {"index": np.asarray(index - rows.start)})


select = Op(
    "select",
    "x[index]",
    meaning,
    forward,
    explain,
    inputs=("index", "x"),
    shapes={"index": "* < T", "x": "* T V"},
    out="* V",
    part=part,
    how=N_("one row of {b}; {a} says which"),
)
