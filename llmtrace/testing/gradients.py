"""The check of gradients: what an op's `backward` says, against what really happens to its result, in float64."""

from __future__ import annotations

import numpy as np

from llmtrace.ops import OPS, Op, Tensor, Weight, multiply, total
from llmtrace.ops.op import Array
from llmtrace.testing.compare import described
from llmtrace.testing.replays import axis_names
from llmtrace.testing.sampling import Arguments
from llmtrace.trace import Backward, Run, Trace

__all__ = ["check_backward"]

PROBED = 6
"""So many elements of every tensor are moved."""
MOVE = 1e-5
"""How far, in proportion: the error of a difference is then about 1e-10 of the function's size, from rounding and from
curvature alike, so that a tolerance of 1e-6 is neither loose nor tight."""
TOLERANCE = 1e-6


def check_backward(op: Op, arguments: Arguments) -> None:
    """Moves elements of every input and weight a little and sees whether the result moves as the gradient says.

    The result is made one number by weighing its elements with random numbers. Where the op has a kink (ReLU at 0), the
    gradient must lie between the slopes on the two sides. Ops without `backward` are passed over.
    """
    if op.backward is None:
        return
    wide = arguments.cast(np.float64)
    rng = np.random.default_rng(1)
    out = np.asarray(wide.call(op.meaning))
    weighing = rng.standard_normal(out.shape)
    found = gradients(op, wide, weighing)
    for name, tensor in wide.tensors.items():
        if tensor is None or tensor.dtype.kind != "f" or not tensor.size:
            continue
        if name not in found:
            raise AssertionError(f"{op.name} says no gradient of {name}{described(arguments)}")
        for place in rng.integers(0, tensor.size, min(PROBED, tensor.size)).tolist():
            expect_slope(op, wide, weighing, name, place, found[name].reshape(-1)[place])


def gradients(op: Op, arguments: Arguments, weighing: Array) -> dict[str, Array]:
    """The gradients of Σ weighing · op(…), found by walking a trace of it backward, by the op's names."""
    weights = {
        f"out.{name}": Weight(f"out.{name}", tensor, axis_names(tensor))
        for name, tensor in arguments.tensors.items()
        if name in op.weights and tensor is not None
    }
    trace = Trace(weights)
    inputs = {name: arguments.tensors[name] for name in op.inputs}
    with np.errstate(all="ignore"), Run(weights, trace) as run:
        given = [run.given(name, t, axis_names(t)) for name, t in inputs.items() if t is not None]
        out = run("out", op, *given, **arguments.settings)
        factor = run.given("weighing", weighing.astype(out.data.dtype), axis_names(weighing))
        run("loss", total, run("weighed", multiply, out, factor))
        reals = tuple(t.name for t in given if t.data.dtype.kind == "f")
        Backward(run, trace, inputs=reals).gradients()
    found = {name: f"d.{name}" for name in reals} | {name: f"d.out.{name}" for name in op.weights}
    return {name: trace.tensor(full) for name, full in found.items() if full in trace}


def expect_slope(op: Op, arguments: Arguments, weighing: Array, name: str, place: int, gradient: float) -> None:
    """AssertionError unless moving one element to either side changes the result as its gradient says."""
    tensor = arguments.tensors[name]
    assert tensor is not None
    move = MOVE * max(1.0, abs(float(tensor.reshape(-1)[place])))

    def at(step: float) -> Array:
        moved = tensor.copy()
        moved.reshape(-1)[place] += step
        return np.asarray(arguments.having(**{name: moved}).call(op.meaning))

    before, here, after = at(-move), at(0), at(move)
    seen = np.isfinite(before) & np.isfinite(here) & np.isfinite(after)  # masked scores are −∞, whatever moves

    def slope(low: Array, high: Array, width: float) -> float:
        return float(np.sum((high[seen] - low[seen]) * weighing[seen]) / width)

    left, right, both = slope(before, here, move), slope(here, after, move), slope(before, after, 2 * move)
    size = 1.0 + float(np.sum(np.abs(here[seen] * weighing[seen]))) + abs(both)
    kink = abs(right - left) > 1e-3 * size
    low, high = (min(left, right), max(left, right)) if kink else (both, both)
    if not low - TOLERANCE * size <= gradient <= high + TOLERANCE * size:
        raise AssertionError(
            f"{op.name}: the gradient of {name}, element {place}, is {gradient:.10g}, but moving it by {move:.3g} changes the"
            f" result by {both:.10g} times that{described(arguments)}"
        )
