"""The check of explanations: what is explained is what was computed, and no change goes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np

from llmtrace.arithmetic.lines import Elements, from_plain, to_plain
from llmtrace.arithmetic.types import Array
from llmtrace.errors import ReplayError
from llmtrace.explain import Explanation
from llmtrace.ops import OPS, Op, Tensor, Weight, by_name
from llmtrace.testing.compare import described, expect_same_bits
from llmtrace.testing.sampling import Arguments
from llmtrace.trace import Run, Trace

__all__ = ["check_explain"]


def check_explain(op: Op, arguments: Arguments, index: int | tuple[int, ...] = 0) -> None:
    """One recorded number (`index` counts through the output, round and round) is explained by recorded numbers and
    replays to its own bits, also from JSON; and a change of any of its lines, or of itself, is noticed.
    """
    trace = traced(op, arguments)
    recorded = trace.tensor("out")
    if not recorded.size:
        return
    place = (
        index
        if isinstance(index, tuple)
        else tuple(int(i) for i in np.unravel_index(index % recorded.size, recorded.shape))
    )
    try:
        with patch.dict(OPS.imported, {op.name: op}):
            explanation: Explanation = trace.explain("out", *place)
        again = Explanation.from_dict(json.loads(json.dumps(explanation.to_dict(), allow_nan=False)))
        replayed = again.replay()
    except ReplayError as error:
        raise AssertionError(f"{op.name}: {error}{described(arguments)}") from error
    what = f"{op.name} at {list(place)}"
    expected = recorded[place]
    expect_same_bits(explanation.value, expected, f"{what}: the explained value", arguments)
    expect_same_bits(explanation.replay(), expected, f"{what}: the replayed value", arguments)
    expect_same_bits(replayed, expected, f"{what}: the value replayed from JSON", arguments)
    if again.to_dict() != explanation.to_dict():
        raise AssertionError(f"{what}: the explanation changes on its way through JSON{described(arguments)}")
    for line in explanation.lines:
        for operand in line.operands:
            if isinstance(operand, Elements):
                truth = np.asarray(trace.tensor(operand.tensor)[operand.index])
                expect_same_bits(
                    operand.values, truth, f"{what}: what line {line.name!r} takes from {operand.tensor}", arguments
                )
    for changed, name in tampered(explanation.to_dict()):
        try:
            Explanation.from_dict(changed).replay()
        except ReplayError:
            continue
        raise AssertionError(f"{what}: replay does not notice that {name} was changed{described(arguments)}")


def traced(op: Op, arguments: Arguments) -> Trace:
    """The trace of a run that does this op once; its output is the step `out`."""
    weights = by_name(
        Weight(f"out.{name}", tensor, axis_names(tensor))
        for name, tensor in arguments.tensors.items()
        if name in op.weights and tensor is not None
    )
    trace = Trace(weights)
    with Run(weights, trace) as run:
        operands: list[Tensor | Weight | None] = []
        for name in op.inputs:
            tensor = arguments.tensors[name]
            operands.append(None if tensor is None else run.leaf(f"in.{name}", tensor, axis_names(tensor)))
        operands += [weights.get(f"out.{name}") for name in op.weights]
        shape, _ = op.result(arguments.tensors, arguments.settings)
        run.do("out", op, operands, arguments.settings, tuple(f"axis{i}" for i in range(len(shape))))
    return trace


def axis_names(tensor: Array) -> tuple[str, ...]:
    """Names for axes that mean nothing in particular."""
    return tuple(f"axis{i}" for i in range(tensor.ndim))


def tampered(data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The explanation with one recorded number changed a little, each time another: (plain data, what was changed)."""
    yield {**data, "element": _nudged(data["element"])}, "the explained number"
    for i, line in enumerate(data["lines"]):
        if line["values"] != []:
            lines = [*data["lines"][:i], _nudged(line), *data["lines"][i + 1 :]]
            yield {**data, "lines": lines}, f"line {line['name']!r}"


def _nudged(entry: dict[str, Any]) -> dict[str, Any]:
    values = np.array(from_plain(entry))
    flat = values.reshape(-1)
    if values.dtype.kind != "f":
        flat[-1] += 1
    elif np.isnan(flat[-1]):
        flat[-1] = 0
    else:
        flat[-1] = np.nextafter(flat[-1], -np.inf if flat[-1] > 0 else np.inf, dtype=values.dtype)
    return {**entry, **to_plain(values)}
