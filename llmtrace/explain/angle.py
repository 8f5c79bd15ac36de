"""A cosine or sine of rotary positions: the angle that it belongs to, and whether it is the right one."""

from __future__ import annotations

from math import isfinite

import numpy as np

from llmtrace.arithmetic.bits import same_bits
from llmtrace.arithmetic.turns import Turns, turns
from llmtrace.arithmetic.types import Array
from llmtrace.errors import ReplayError
from llmtrace.i18n import _
from llmtrace.trace import Trace

FUNCTIONS = {"rotary.cosine": "cos", "rotary.sine": "sin"}
"""By the names of the tensors that hold their values."""


def verify_angles(trace: Trace) -> None:
    """ReplayError names the first cosine or sine that is not that of its angle."""
    for name in FUNCTIONS:
        base = base_of(trace, name)
        if base is None:
            continue
        recorded = trace.tensor(name)
        expected = _value(turns(trace.tensor("positions"), recorded.shape[-1], base, recorded.dtype), name)
        if not same_bits(recorded, expected):
            place = next(i for i in np.ndindex(recorded.shape) if not same_bits(recorded[i], expected[i]))
            raise ReplayError(
                _(
                    "{address} is recorded as {recorded}, but its angle gives {again}",
                    address=trace.address(name, place),
                    recorded=recorded[place],
                    again=expected[place],
                )
            )


def base_of(trace: Trace, name: str) -> float | None:
    """The base of a model's angles; None for another tensor, and where it is not known."""
    base = trace.origin.config.get("base")
    known = name in FUNCTIONS and name in trace.leaves and "positions" in trace.leaves
    return float(base) if known and isinstance(base, int | float) and isfinite(base) and base > 0 else None


def said(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """How one is made; nothing for any other number."""
    base = base_of(trace, name)
    if base is None:
        return ""
    *where, pair = place
    position, width = int(trace.elements("positions", tuple(where))), 2 * trace.shape(name)[-1]
    angle = position * base ** (-2 * pair / width)
    return _(
        "; it is {function}({position} × {base}^(−{twice}/{width})), about {function}({angle}), worked out to many digits"
        " and rounded once",
        function=FUNCTIONS[name],
        position=position,
        base=f"{base:g}" if base < 1e6 else f"{base:.0f}",
        twice=2 * pair,
        width=width,
        angle=f"{angle:.4g}",
    )


def _value(both: Turns, name: str) -> Array:
    return both.cosine if FUNCTIONS[name] == "cos" else both.sine
