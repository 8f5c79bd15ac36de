"""The check of gradients: what an op's `backward` says, against what really happens to its result, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.ops import OPS, Op, Weight, by_name
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.testing.compare import described, expect_same_bits
from llmtrace.testing.replays import axis_names
from llmtrace.testing.sampling import Arguments
from llmtrace.trace import Backward, Run, Trace

__all__ = ["check_backward"]

PROBED = 6
"""So many elements of every tensor are moved."""
MOVE = 1e-5
"""How far, in proportion. Differences over it and over its half, extrapolated (Richardson 1911), are off by its fourth power
and by the rounding of the function over it: by about 1e-10 of what is computed, so that TOLERANCE is neither loose nor tight."""
TOLERANCE = 1e-6
KINK = 1e-3
"""A function whose slopes to the left and to the right differ by more, in proportion, is bent there."""


def positive(x: Array) -> Array:
    """At least a quarter."""
    return np.asarray(np.abs(x) + 0.25)


def away(x: Array) -> Array:
    """At least a quarter away from 0, on the same side."""
    return np.asarray(x + np.copysign(0.25, x))


DOMAINS: dict[str, dict[str, Callable[[Array], Array]]] = {
    "divide": {"b": away},
    "log": {"x": positive},
    "sqrt": {"x": positive},
}
"""Where functions with an edge or a pole are looked at: next to it, a difference says nothing."""


class Slope(NamedTuple):
    """How the result moves with one element: between `low` and `high`, which are the same where nothing is bent."""

    low: float
    high: float
    slack: float
    """By how much the differences themselves may be wrong."""


def check_backward(op: Op, arguments: Arguments) -> None:
    """Moves elements of every input and weight a little and sees whether the result moves as the gradient says.

    The result is made one number by weighing its elements with random numbers. Where the op has a kink (ReLU at 0), the
    gradient must lie between the slopes on the two sides. A gradient must not depend on which others are asked for.
    Ops without `backward` and the `fixed` inputs of others are passed over.
    """
    if op.backward is None:
        return
    wide = arguments.cast(np.float64)
    domains = DOMAINS.get(op.name, {})
    wide = wide.having(**{n: domains[n](t) for n, t in wide.tensors.items() if n in domains and t is not None})
    rng = np.random.default_rng(1)
    still = np.asarray(wide.call(op.meaning))
    weighing = rng.standard_normal(still.shape)
    reals = {
        name: t for name, t in wide.tensors.items() if t is not None and t.dtype.kind == "f" and name not in op.fixed
    }
    found = gradients(op, wide, weighing, tuple(name for name in reals if name in op.inputs))
    for name, tensor in reals.items():
        if name not in found:
            raise AssertionError(f"{op.name} says no gradient of {name}{described(wide)}")
        if found[name].shape != tensor.shape:
            shapes = f"has shape {found[name].shape}, but {name} {tensor.shape}"
            raise AssertionError(f"{op.name}: the gradient of {name} {shapes}{described(wide)}")
        alone = gradients(op, wide, weighing, (name,) if name in op.inputs else ())
        expect_same_bits(alone.get(name), found[name], f"{op.name}: the gradient of {name}, asked for alone,", wide)
        for place in rng.integers(0, max(1, tensor.size), min(PROBED, tensor.size)).tolist():
            gradient, slope = float(found[name].reshape(-1)[place]), measured(op, wide, still, weighing, name, place)
            if not slope.low - slope.slack <= gradient <= slope.high + slope.slack:
                raise AssertionError(
                    f"{op.name}: the gradient of {name}, element {place}, is {gradient:.10g}, but a small move of it moves the"
                    f" result by {slope.low:.10g}{f' to {slope.high:.10g}' * (slope.low < slope.high)} times as"
                    f" much{described(wide)}"
                )


def gradients(op: Op, arguments: Arguments, weighing: Array, wanted: tuple[str, ...]) -> dict[str, Array]:
    """The gradients of Σ weighing · op(…), found by walking a trace of it backward, by the op's names.

    Of the inputs only those of `wanted`, of the weights all.
    """
    weights = by_name(
        Weight(f"out.{name}", tensor, axis_names(tensor))
        for name, tensor in arguments.tensors.items()
        if name in op.weights and tensor is not None
    )
    trace = Trace(weights)
    with np.errstate(all="ignore"), Run(weights, trace) as run:
        inputs = {name: arguments.tensors[name] for name in op.inputs}
        given = [run.leaf(name, t, axis_names(t)) for name, t in inputs.items() if t is not None]
        out = run("out", op, *given, **arguments.settings)
        factor = run.leaf("weighing", weighing.astype(out.data.dtype), axis_names(weighing))
        run("loss", sum_all, run("weighed", multiply, out, factor))
        found = Backward(run, trace, inputs=wanted, ops={**OPS, op.name: op}).gradients()
        return {name.removeprefix("out."): tensor.data.copy() for name, tensor in found.items()}


def measured(op: Op, arguments: Arguments, still: Array, weighing: Array, name: str, place: int) -> Slope:
    """How Σ weighing · op(…), with the result `still` where nothing is moved, moves when one element is moved to either side."""
    tensor = arguments.tensors[name]
    assert tensor is not None
    move = MOVE * max(1.0, abs(float(tensor.reshape(-1)[place])))

    def at(step: float) -> Array:
        moved = tensor.copy()
        moved.reshape(-1)[place] += step
        return np.asarray(arguments.having(**{name: moved}).call(op.meaning))

    steps = {0.0: still, **{share: at(share * move) for share in (-1, -0.5, 0.5, 1)}}
    # Masked scores are −∞, whatever moves; and what stays as it is adds no error.
    moving = np.logical_and.reduce([np.isfinite(values) for values in steps.values()])
    moving &= np.logical_or.reduce([values != steps[0] for values in steps.values()])

    def slope(low: float, high: float) -> float:
        return float(np.sum((steps[high][moving] - steps[low][moving]) * weighing[moving]) / ((high - low) * move))

    left, right, near, far = slope(-1, 0), slope(0, 1), slope(-0.5, 0.5), slope(-1, 1)
    size = 1.0 + float(np.sum(np.abs(steps[0][moving] * weighing[moving]))) + abs(far)
    if abs(right - left) > KINK * size:
        return Slope(min(left, right), max(left, right), TOLERANCE * size)
    both = (4 * near - far) / 3
    return Slope(both, both, TOLERANCE * size)
