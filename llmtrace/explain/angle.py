"""A cosine or sine of rotary positions: the angle that it belongs to, and whether it is the right one."""

from __future__ import annotations

from sys import float_info

import numpy as np

from llmtrace.arithmetic.bits import same_bits
from llmtrace.arithmetic.turns import turns
from llmtrace.errors import ReplayError
from llmtrace.i18n import _
from llmtrace.trace import StepKind, Trace

FUNCTIONS = {StepKind.COSINE: "cos", StepKind.SINE: "sin"}
"""By the kinds of the tensors that hold their values."""


def verify_angles(trace: Trace) -> None:
    """ReplayError names the first cosine or sine that is not that of its angle."""
    for name in trace.leaves:
        base = base_of(trace, name)
        if base is None:
            continue
        recorded, positions = trace.tensor(name), trace.tensor("positions")
        if recorded.shape[:-1] != positions.shape:
            raise ReplayError(_("{name} has shape {shape}, which does not fit", name=name, shape=recorded.shape))
        both = turns(positions, recorded.shape[-1], base, recorded.dtype)
        expected = both.cosine if trace.legend.kind(name) == StepKind.COSINE else both.sine
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
    if trace.legend.kind(name) not in FUNCTIONS or "positions" not in trace.leaves or not isinstance(base, int | float):
        return None
    return float(base) if 0 < base <= float_info.max and trace.shape(name) else None


def said(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """How one is made; nothing for any other number."""
    base, kind = base_of(trace, name), trace.legend.kind(name)
    if base is None or kind is None:
        return ""
    *where, pair = place
    position, width = int(trace.elements("positions", tuple(where))), 2 * trace.shape(name)[-1]
    angle = position * base ** (-2 * pair / width)
    return _(
        "; it is {function}({position} × {base}^(−{twice}/{width})), about {function}({angle}), worked out to many digits"
        " and rounded once",
        function=FUNCTIONS[kind],
        position=position,
        base=f"{base:.17g}",
        twice=2 * pair,
        width=width,
        angle=f"{angle:.4g}",
    )
