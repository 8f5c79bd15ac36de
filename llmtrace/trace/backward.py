"""Backward: a trace is walked from its loss to its beginning, and the gradient of every number on the way is appended.

The gradient of a tensor says by how much the loss grows when one of its elements grows by a little, divided by that little.
It is a tensor of the same shape, named `d.` + name. Where several steps use a tensor, each has its part in the gradient,
`d.NAME.from.STEP`, and the gradient is their sum in the order in which backward meets them, the last step of the run first.

    Learning representations by back-propagating errors, Rumelhart, Hinton and Williams, 1986
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np

from llmtrace.arithmetic.types import Axes
from llmtrace.errors import TrainingError
from llmtrace.i18n import _
from llmtrace.ops import OPS, Op, Tensor, Weight
from llmtrace.ops.elementwise.add import add
from llmtrace.trace.run import Operand, Run
from llmtrace.trace.step import Record
from llmtrace.trace.trace import Keep, Trace

INITIAL = "initial"


class Backward:
    """One walk. `sums` are the weights' parts `d.…`, by name, after it; `gradients()` the gradient of each weight, once.

    starts: the `sums` of the batch before, from which those of this one go on: so the sums over several small batches have the
    bits of the sum over all of them at once.
    keep: what of what was computed the trace keeps, "all", the "residual" stream and its gradients, or "nothing"; the memory of
    the others is used again as soon as it can be.
    inputs: the names of given tensors whose gradients are wanted, besides the weights'.
    ops: where the steps' ops are found by name.
    """

    def __init__(
        self,
        run: Run,
        trace: Trace,
        loss: str = "loss",
        starts: Mapping[str, Tensor] | None = None,
        keep: Keep | Literal["nothing"] = "all",
        inputs: tuple[str, ...] = (),
        ops: Mapping[str, Op] = OPS,
    ) -> None:
        self.run, self.trace, self.keep, self.ops = run, trace, keep, ops
        self.asked = {*trace.weights, *inputs}
        self.starts = starts or {}
        self.sums: dict[str, Tensor] = {}
        self._made: list[str] = []
        self._parts: dict[str, list[Tensor]] = {}  # of each tensor and weight, what the steps that use it have given
        self._waiting: set[str] = set()  # the names of these parts
        records = list(_leading_to(trace, loss))
        self.wanted = {*self.asked}
        for record in reversed(records):
            if not self.wanted.isdisjoint(record.operands.values()):
                self.wanted.add(record.name)
        if loss not in self.wanted:
            raise TrainingError(_("{name} depends on no weight, so it has no gradients", name=loss))
        self._uses = Counter(chain.from_iterable([record.operands.values() for record in records]))
        one = np.ones(trace.shape(loss), trace.tensor(loss).dtype)
        self._parts[loss] = [run.leaf(f"d.{loss}", one, trace.axes(loss))]
        for record in records:
            if record.name in self.wanted:
                self._walk(record)

    def gradients(self) -> dict[str, Tensor]:
        """The gradient of every weight that has one, and of the `inputs`, by name."""
        return {name: self._total(name) for name in list(self._parts) if name in self.asked}

    def _walk(self, record: Record) -> None:
        if record.name not in self._parts:
            return
        op = self.ops[record.op]
        if op.backward is None:
            raise TrainingError(
                _("{name} stands between a weight and the loss, but {op} has no gradient", name=record.name, op=op.name)
            )
        dout = self._total(record.name)
        op.backward(StepGradient(self, record, dout))
        if self.keep != "all":
            let_go = self.trace.forget if self.keep == "nothing" else self.trace.release
            for name in (record.name, dout.name, *self._made):
                if name not in self._waiting:
                    let_go(name)
            self._made = [name for name in self._made if name in self._waiting]

    def do(
        self, name: str, op: Op, operands: Sequence[Operand], settings: Mapping[str, Any], axes: Axes | None
    ) -> Tensor:
        """One step of the walk."""
        self._made.append(name)
        return self.run.do(name, op, (*operands, *[None] * (len(op.tensors) - len(operands))), settings, axes)

    def rename(self, name: str, tensor: Tensor, axes: Axes) -> Tensor:
        """A number that is passed on."""
        self._made.append(name)
        return self.run.rename(name, tensor, axes)

    def accumulate(self, name: str, step: str, op: Op, operands: list[Operand], settings: Mapping[str, Any]) -> None:
        """The part of `name`'s gradient that comes from `step`."""
        own = self._name(name, step)
        if op.inputs[-1] == INITIAL and name in self.trace.weights:
            start = self.starts.get(own)
            operands.append(None if start is None else self.run.given(f"{own}.before", start))
        self._add(name, self.do(own, op, operands, settings, self.trace.axes(name)))

    def pass_on(self, name: str, step: str, dout: Tensor) -> None:
        """The gradient of what `step` made is the part that comes from `step`."""
        self._add(name, self.rename(self._name(name, step), dout, self.trace.axes(name)))

    def _name(self, name: str, step: str) -> str:
        own = f"d.{name}" if self._uses[name] == 1 else f"d.{name}.from.{step}"
        parts = self._parts.get(name)
        taken = sum(part.name == own for part in parts) if parts else 0
        return f"{own}.{taken + 1}" if taken else own

    def _add(self, name: str, part: Tensor) -> None:
        self._parts.setdefault(name, []).append(part)
        self._waiting.add(part.name)
        if name in self.trace.weights:
            self.sums[part.name] = part

    def _total(self, name: str) -> Tensor:
        parts, axes = self._parts.pop(name), self.trace.axes(name)
        self._waiting.difference_update([part.name for part in parts])
        total = parts[0]
        for i, part in enumerate(parts[1:], 2):
            own = f"d.{name}" if i == len(parts) else f"d.{name}.sum.{i}"
            total = self.do(own, add, (total, part), {}, axes)
        return total if total.name == f"d.{name}" else self.rename(f"d.{name}", total, axes)


class StepGradient:
    """One step of the walk, as its op's `backward` sees it (`llmtrace.ops.gradient.Gradient`)."""

    def __init__(self, walk: Backward, record: Record, dout: Tensor) -> None:
        self._walk, self._record = walk, record
        self._names = record.operands
        self.settings: Mapping[str, Any] = record.settings
        self.dout = dout

    @property
    def out(self) -> Tensor:
        """What the step made."""
        return self._tensor(self._record.name)

    def __getitem__(self, name: str) -> Tensor | Weight:
        full = self._names[name]
        assert full is not None, f"this step has no {name}"
        return self._walk.trace.weights[full] if full in self._walk.trace.weights else self._tensor(full)

    def wants(self, *names: str) -> bool:
        """Whether the gradient of any of these operands is asked for."""
        return any(self._names[name] in self._walk.wanted for name in names)

    def do(self, part: str, op: Op, *operands: Operand, **settings: Any) -> Tensor:
        """An op on the way."""
        return self._walk.do(f"d.{self._record.name}.{part}", op, operands, settings, None)

    def accumulate(self, name: str, op: Op, *operands: Operand, **settings: Any) -> None:
        """The gradient of one operand is the result of an op."""
        full = self._names[name]
        if full is not None and full in self._walk.wanted:
            self._walk.accumulate(full, self._record.name, op, list(operands), settings)

    def pass_on(self, *names: str) -> None:
        """The gradient of each of these is `dout`."""
        for name in names:
            full = self._names[name]
            if full is not None and full in self._walk.wanted:
                self._walk.pass_on(full, self._record.name, self.dout)

    def _tensor(self, name: str) -> Tensor:
        return Tensor(name, self._walk.trace.tensor(name), self._walk.trace.axes(name))


def _leading_to(trace: Trace, loss: str) -> Iterator[Record]:
    """The steps that the loss is made of, the last one first."""
    needed: set[str | None] = {trace[loss].name}
    for record in reversed(list(trace.records())):
        if record.name in needed:
            needed.update(record.operands.values())
            yield record
