"""Other types: what an op gives where its numbers are held with fewer digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.experiments.situation import Cause, Situation
from llmtrace.i18n import N_
from llmtrace.ops import OPS


def bfloat16(x: Array) -> Array:
    """The nearest numbers with 8 binary digits, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.asarray(np.where(np.isfinite(x), rounded.view(np.float32), x), np.float32)


def float16(x: Array) -> Array:
    """The nearest float16 numbers."""
    return x.astype(np.float16).astype(x.dtype)


def _cast_result(cast: Callable[[Array], Array]) -> Cause:
    return lambda s: cast(s.done())


def _cast_operands(cast: Callable[[Array], Array]) -> Cause:
    """Everything that is real goes in, and comes out, with fewer digits."""

    def cause(s: Situation) -> Array:
        real = {name: cast(x) for name, x in s.operands.items() if x is not None and x.dtype.kind == "f"}
        return cast(s.done(**real))

    return cause


def _cast_weights(cast: Callable[[Array], Array], least: int) -> Cause:
    """Of the weights, those with at least so many axes: 2, the matrices."""

    def cause(s: Situation) -> Array | None:
        weights = {name: x for name, x in s.operands.items() if name in OPS[s.op].weights and x is not None}
        real = {name: cast(x) for name, x in weights.items() if x.ndim >= least}
        return s.done(**real) if real and (least == 2 or len(real) > 1) else None

    return cause


TYPES: dict[str, Cause] = {
    N_("computed in float16"): _cast_operands(float16),
    N_("computed in bfloat16"): _cast_operands(bfloat16),
    N_("the result rounded to float16"): _cast_result(float16),
    N_("the result rounded to bfloat16"): _cast_result(bfloat16),
    N_("the weights rounded to float16"): _cast_weights(float16, 2),
    N_("the weights rounded to bfloat16"): _cast_weights(bfloat16, 2),
    N_("weights and biases rounded to float16"): _cast_weights(float16, 1),
    N_("weights and biases rounded to bfloat16"): _cast_weights(bfloat16, 1),
}

STEPS = {"computed in float16": 2.0**-10, "the result rounded to float16": 2.0**-10}
STEPS |= {"computed in bfloat16": 2.0**-7, "the result rounded to bfloat16": 2.0**-7}
"""Of the causes whose results have few digits, how far two neighbouring results are apart, as a share of them."""
