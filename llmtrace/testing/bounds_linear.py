"""The bounds of linear layers, of embeddings, and of the sums over positions that are their gradients."""

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.testing.rounding import Close, Rounding

__all__ = ["LINEAR"]


def linear(r: Rounding, x: Array, weight: Array, bias: Array | None = None, transposed: bool = False) -> Close:
    """Σ x·w + b: the (K + 1)·u·Σ|x·w| of a dot product, and u·|out| for the bias."""
    matrix = weight if transposed else weight.T  # [N, K]
    out = r.matmul(r.exact(x), r.exact(matrix))
    return out if bias is None else r.add(out, r.exact(bias))


def linear_to_heads(r: Rounding, x: Array, weight: Array, bias: Array | None, heads: int) -> Close:
    """A linear layer, its outputs dealt out."""
    *lead, positions, _ = x.shape
    shape = (*lead, positions, heads, weight.shape[1] // heads)
    return Close(*(np.swapaxes(part.reshape(shape), -3, -2) for part in linear(r, x, weight, bias)))


def linear_from_heads(r: Rounding, x: Array, weight: Array, bias: Array | None) -> Close:
    """A linear layer whose inputs are gathered first."""
    *lead, heads, positions, features = x.shape
    return linear(r, np.swapaxes(x, -3, -2).reshape(*lead, positions, heads * features), weight, bias)


def leading_last(x: Array, kept: int = 1) -> Array:
    """The leading axes as one, last: [*, C] → [C, positions]."""
    lead = int(np.prod(x.shape[: x.ndim - kept]))
    return np.moveaxis(x.reshape(lead, *x.shape[x.ndim - kept :]), 0, -1)


def sum_from(r: Rounding, terms: Close, initial: Array | None) -> Close:
    """A sum that begins at `initial`, which is one more term."""
    if initial is None:
        return r.sum(terms)
    first = r.exact(initial[..., None])
    return r.sum(Close(*(np.concatenate(parts, axis=-1) for parts in zip(first, terms, strict=True))))


def sum_outer_products(r: Rounding, a: Array, b: Array, initial: Array | None) -> Close:
    """Σ a·b for every pair of features."""
    rows, columns = leading_last(a)[:, None, :], leading_last(b)
    return sum_from(r, r.multiply(r.exact(rows), r.exact(columns)), initial)


def sum_products(r: Rounding, a: Array, b: Array, initial: Array | None) -> Close:
    """Σ a·b for every feature."""
    return sum_from(r, r.multiply(r.exact(leading_last(a)), r.exact(leading_last(b))), initial)


def embedding_gradient(r: Rounding, ids: Array, dout: Array, initial: Array | None, rows: int) -> Close:
    """Σ dout where the id is the row; what another row gets adds nothing to the value, nor to the bound."""
    chosen = ids.reshape(-1) == np.arange(rows)[:, None, None]
    return sum_from(r, r.exact(np.where(chosen, leading_last(dout), 0)), initial)


LINEAR: dict[str, Callable[..., Close]] = {
    "embedding": lambda r, ids, weight: r.exact(weight[ids]),
    "embedding_gradient": embedding_gradient,
    "linear": linear,
    "linear_from_heads": linear_from_heads,
    "linear_to_heads": linear_to_heads,
    "sum_all": lambda r, x, initial: sum_from(r, r.exact(x.reshape(-1)), initial),
    "sum_outer_products": sum_outer_products,
    "sum_positions": lambda r, x, initial: sum_from(r, r.exact(leading_last(x)), initial),
    "sum_products": sum_products,
}
