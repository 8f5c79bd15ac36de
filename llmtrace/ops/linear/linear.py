"""A linear layer: every output is a sum of all inputs, each times a weight, plus a bias."""

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.lines import Operand
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.i18n import N_
from llmtrace.ops.gradient import Gradient
from llmtrace.ops.linear.sum_outer_products import sum_outer_products
from llmtrace.ops.linear.sum_positions import sum_positions
from llmtrace.ops.op import Op, flatten_leading, new_array


def meaning(x: Array, weight: Array, bias: Array | None = None, *, transposed: bool = False) -> Array:
    """x [*, K], weight [K, N] ([N, K] where transposed), bias [N] → [*, N]: `Σ x·weight + bias`, k ascending, the bias last."""
    matrix = weight.T if transposed else weight
    out = np.zeros((*x.shape[:-1], matrix.shape[1]), x.dtype)
    for k in range(matrix.shape[0]):
        out += x[..., k, None] * matrix[k]
    return out if bias is None else out + bias


def forward(
    x: Array, weight: Array, bias: Array | None = None, *, transposed: bool = False, empty: Empty = np.empty
) -> Array:
    """`meaning`, compiled; `weight` may be packed."""
    packed = pack(weight, transposed=transposed)
    if x.ndim == 2:  # a token of a text that is written: the call itself counts
        out = new_array(empty, (len(x), packed.columns), x.dtype, weight)
        _kernels.matmul(x, packed, bias, out)
        return out
    rows = flatten_leading(x, "x")
    out = new_array(empty, (*x.shape[:-1], packed.columns), x.dtype, weight)
    _kernels.matmul(rows, packed, bias, flatten_leading(out, "out"))
    return out


def pack(weight: Array | _kernels.PackedMatrix, *, transposed: bool = False) -> _kernels.PackedMatrix:
    """`weight` as the kernels want it: packed already, or packed now for this one call."""
    return weight if isinstance(weight, _kernels.PackedMatrix) else _kernels.pack(weight, transposed)


def backward(g: Gradient) -> None:
    """out = Σ x·weight + bias:  dx = Σ dout·weightᵀ;  over the positions dweight = Σ x·dout, dbias = Σ dout."""
    transposed = bool(g.settings.get("transposed", False))
    g.accumulate("x", linear, g.dout, g["weight"], None, transposed=not transposed)
    g.accumulate("weight", sum_outer_products, *((g.dout, g["x"]) if transposed else (g["x"], g.dout)))
    g.accumulate("bias", sum_positions, g.dout)


def explain(w: Derivation) -> None:
    """One sum of products, one bias."""
    *row, column = w.index
    explain_output(w, w["x"][(*row, slice(None))], column)


def explain_output(w: Derivation, x: Operand, column: int) -> None:
    """Output `column` of a linear layer whose inputs are `x`."""
    index = (column, slice(None)) if w.settings.get("transposed") else (slice(None), column)
    weight = w["weight"][index]
    if not w.has("bias"):
        w.dot("out", x, weight)
    else:
        w.add("out", w.dot("sum", x, weight), w["bias"][column])


def output_axis(weight: Axes) -> str:
    """What a linear layer's outputs are: entries of the vocabulary or neurons where the weight says so, else features."""
    return next((axis for axis in ("vocabulary", "output", "neuron") if axis in weight), "feature")


def axes(x: Axes, weight: Axes, bias: Axes | None = None) -> Axes:
    """The inputs' axis becomes the outputs' axis."""
    return (*x[:-1], output_axis(weight))


linear = Op(
    "linear",
    "Σ x · weight + bias",
    meaning,
    forward,
    explain,
    inputs=("x",),
    weights=("weight", "bias"),
    shapes={"x": "* K", "weight": "K N", "bias": "N ?", "transposed": "turns weight"},
    out="* N",
    axes=axes,
    packed=("weight",),
    one_job=True,
    backward=backward,
    how=N_("each a weighted sum of the {n} numbers in a row of {a}"),
)
