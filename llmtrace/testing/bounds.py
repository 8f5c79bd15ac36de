"""The bound on the error of every op, in the arithmetic of `llmtrace.testing.rounding`.

That of an op of one calculation per element follows from its `explain`, and that of one per row may. Sums, softmax and the
like, whose formula is written once more by hand, have bounds that do not rest on it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from llmtrace.arithmetic.types import Array
from llmtrace.ops import OPS, Op
from llmtrace.testing.bounds_attention import ATTENTION
from llmtrace.testing.bounds_linear import LINEAR
from llmtrace.testing.bounds_losses import LOSSES
from llmtrace.testing.bounds_rows import ROWS
from llmtrace.testing.bounds_sampling import SAMPLING
from llmtrace.testing.derived import derived_bound, is_derived
from llmtrace.testing.rounding import Close, Rounding, Uncertain
from llmtrace.testing.sampling import Arguments

__all__ = ["BOUNDS", "bound", "local_bound"]

BOUNDS: dict[str, Callable[..., Close]] = {**ATTENTION, **LINEAR, **LOSSES, **ROWS, **SAMPLING}
"""By the names of ops: `bound(rounding, *tensors, **settings)`."""


def bound(op: Op, arguments: Any, dtype: npt.DTypeLike) -> Close:
    """An op's value in float64 and how far its calculation in `dtype` may end from it.

    The float64 value is itself computed, by NumPy's own functions and sums in NumPy's own order; those functions are
    allowed two units in the last place, four times the half unit of a correctly rounded one, and so four times the
    bound of a correctly rounded float64 calculation is added.
    """
    wide = arguments.cast(np.float64)
    own, reference = _in(op, wide, Rounding(dtype)), _in(op, wide, Rounding(np.float64))
    error = own.error + 4 * reference.error
    return Close(
        own.value, np.where(np.isnan(own.value), 0, error)
    )  # a root of a number below 0, which is NaN either way


def local_bound(
    op: str,
    tensors: Mapping[str, Array | None],
    settings: Mapping[str, Any],
    off: Mapping[str, Array] | None = None,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """How far each number of an op's result in `dtype` may be from the exact one: op by name, tensors as they are.

    off: by the name of a tensor, how far each of its numbers may be from the one given; what that does to the result is
    part of the bound.
    """
    known = Arguments(dict(tensors), dict(settings))
    error = bound(OPS[op], known, dtype).error
    if not off:
        return np.asarray(error)
    wide = known.cast(np.float64)
    unsure = wide.having(**{name: np.asarray(wide.tensors[name]) + 1j * far for name, far in off.items()})
    return np.asarray(np.maximum(error, _in(OPS[op], unsure, Uncertain(dtype)).error))


def _in(op: Op, arguments: Any, r: Rounding) -> Close:
    if op.name in BOUNDS:
        found: Close = arguments.call(lambda *tensors, **settings: BOUNDS[op.name](r, *tensors, **settings))
        return found
    if not is_derived(op):
        raise NotImplementedError(f"{op.name} has no bound on its errors: add one to llmtrace.testing.BOUNDS")
    with np.errstate(all="ignore"):
        return derived_bound(op, r, arguments.tensors, arguments.settings)
