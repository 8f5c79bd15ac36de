"""A Run does ops one after the other. With a trace it keeps every result; without, memory is used again and again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from llmtrace import _kernels
from llmtrace._kernels import Given
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.ops import Op, Tensor, Weight
from llmtrace.ops.elementwise.dropout import dropout
from llmtrace.ops.elementwise.identity import identity
from llmtrace.ops.part import box_of
from llmtrace.ops.rows.concatenate import concatenate
from llmtrace.rng import derive
from llmtrace.trace.attending import BEGINNINGS, MIXES, NOTHING, PARTS, Unkept, attention_of, plain
from llmtrace.trace.later import ROWS, later
from llmtrace.trace.legend import ENDING, PAIRS, StepKind
from llmtrace.trace.recompute import Recomputer, Unmade, Values, unmade
from llmtrace.trace.repeats import Noted, Pending, Repeats, Undone
from llmtrace.trace.step import Record, dtype_name
from llmtrace.trace.trace import Trace
from llmtrace.trace.workspace import Cache, Memory, Workspace, alone

Operand = Tensor | Weight | None


@frozen
class Dropout:
    """Numbers left out at random while a model is trained (Srivastava et al. 2014, JMLR 15)."""

    rate: float
    """The share of numbers that is left out, from 0 up to, but not, 1."""
    seed: int
    """Which numbers: the same seed leaves out the same ones."""
    first: int = 0
    """How many texts of the batch have gone before, where it is run in parts."""


class Run:
    """Executes a model's forward: `run("ln_1", layer_norm, x, epsilon=1e-5)` does the op and names the result.

    The weights that the op takes are found by the step's name (`block.0.ln_1.gain`), or by the one that `weights` says.
    `within("block.0")` gives a Run whose names begin so. Use it as a context manager: leaving it frees the memory that no
    kept array needs. With `repeats`, steps wait until somebody asks for numbers, or it is left.
    """

    def __init__(
        self,
        weights: Mapping[str, Weight],
        trace: Trace | None = None,
        cache: Cache | None = None,
        results: frozenset[str] = frozenset(),
        arena: Memory | None = None,
        dropout: Dropout | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        self.weights = weights
        self._trace = trace
        self._cache = cache
        self._repeats = (
            repeats  # what earlier runs of this model have found out; with it, steps wait for each other in the queue
        )
        self._results = results  # names whose arrays outlive an untraced run, so that they get memory of their own
        self._arena = arena or _kernels.Arena()
        self._queue = None if repeats is None else _kernels.Queue(self._arena)  # where steps wait for each other
        self._own_arena = arena is None  # another's is left open, for the next run to write in the same memory
        self._dropout = dropout if dropout and dropout.rate else None
        self._prefix = ""
        self._workspace = Workspace()
        self._at_hand: Values = {}  # what postponed steps of attention start from

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self._do_waiting(given_up=error is not None)
        finally:
            if self._own_arena:
                self._arena.close()

    def waiting_in(self, queue: _kernels.Queue | None) -> Run:
        """Lets its steps wait in a queue until somebody asks for numbers, or it is left, and returns it. Runs that write to
        one arena, each where those before it have left memory, may share one.
        """
        self._queue = queue
        return self

    def within(self, prefix: str) -> Run:
        """The same run, with `prefix.` before every name."""
        inner = Run.__new__(type(self))
        inner.__dict__.update(self.__dict__, _prefix=f"{self._prefix}{prefix}.")
        return inner

    def leaf(self, name: str, data: Array, axes: Axes) -> Tensor:
        """A tensor that no op makes: what the run starts from."""
        name = self._prefix + name
        if self._trace is not None:
            self._trace.add_leaf(name, data, axes)
        return Tensor(name, data, axes)

    def given(self, name: str, tensor: Tensor) -> Tensor:
        """A tensor of an earlier run, by another name, as what this one starts from."""
        return self.leaf(name, tensor.taken_by(self._queue), tensor.axes)

    def __call__(self, name: str, op: Op, *inputs: Tensor, weights: str | None = None, **settings: Any) -> Tensor:
        """Does `op` with the weights that are named like the step, and names the result; with a trace, records the step.

        weights: what the names of the weights begin with, where that is not the name of the step.
        """
        own, name = name if weights is None else weights, self._prefix + name
        repeats, trace, queue = self._repeats, self._trace, self._queue
        if repeats is None or queue is None:
            return self.do(name, op, self._operands(op, inputs, own), settings)
        few = trace is None or trace.keep != "all"
        if few and op.name in PARTS:
            attended = self._attended(name, op, inputs, settings)
            if attended is not None:
                return attended
        step = name if weights is None else (name, weights)
        if trace is not None:
            return self._traced(trace, name, step, op, inputs, own, settings)
        known = repeats.known.get(step)
        if known is not None:
            empty = alone if name in self._results or not self._arena.is_open else None
            out = known.again(op, inputs, settings, empty, queue)
            if out is not None:
                return Pending.made(name, out, (), queue)
        return self._learned(name, step, op, inputs, own, settings)

    def _traced(
        self,
        trace: Trace,
        name: str,
        step: Any,
        op: Op,
        inputs: tuple[Tensor, ...],
        own: str,
        settings: dict[str, Any],
    ) -> Tensor:
        """The same with a trace: a step is recorded as the last time, if it is the same."""
        repeats, queue = self._repeats, self._queue
        assert repeats is not None
        assert queue is not None
        if Unkept in map(type, inputs):
            inputs = tuple([self._postponable(trace, x) if isinstance(x, Unkept) else x for x in inputs])
        known = repeats.known.get(step)
        noted = None if known is None or known.note is None else known.note.get(trace.keep)
        if noted is not None and noted.legend is not trace.legend:
            noted = None
        out = None if known is None or noted is None else known.again(op, inputs, settings, noted.empty, queue)
        if out is None:
            if later(trace, name, inputs):
                if trace.legend.kind(name) in ENDING:
                    undone = self._noted(trace, name, op, inputs, settings, own)
                    return Tensor(name, undone.described, undone.record.axes)
                return self.do(name, op, self._operands(op, inputs, own), settings)
            if known is not None and noted is None:
                out = known.again(op, inputs, settings, self._memory_of(name), queue)
        if known is None or out is None:
            return self._learned(name, step, op, inputs, own, settings)
        if noted is None or not noted.given.same(inputs, False):
            record = Record.of(name, op, self._operands(op, inputs, own), settings, None, out)
            empty = alone if self._memory_of(name) is alone else None
            noted = Noted(Given(inputs), record, trace.legend, trace.stays(name), empty)
            known.note = {**(known.note or {}), trace.keep: noted}
        trace.record(noted.record, out, noted.stays)
        return Pending.made(name, out, noted.record.axes, queue)

    def _learned(
        self, name: str, step: Any, op: Op, inputs: Sequence[Tensor], own: str, settings: dict[str, Any]
    ) -> Tensor:
        """Does a step, and remembers it, so that it can be repeated."""
        assert self._repeats is not None
        arrays = [x.taken_by(self._queue) for x in inputs]
        operands = self._operands(op, inputs, own)
        tensor = self.do(name, op, operands, settings)
        self._repeats.learn(step, op, arrays, operands, settings, tensor.taken_by(self._queue))
        return tensor

    def _attended(self, name: str, op: Op, inputs: tuple[Tensor, ...], settings: dict[str, Any]) -> Tensor | None:
        """A step of attention whose numbers are not kept: one on the way to the mix is only written down, and then the mix is
        made of where they start. None where it is to be done like any other.
        """
        trace = self._trace
        if (trace is not None and trace.stays(name) == "kept") or not plain(op, inputs, settings):
            return None
        if op.name in MIXES:
            return self._mixed(name, op, inputs)
        if op.name not in BEGINNINGS and not isinstance(inputs[0], Unkept):
            return None
        assert self._queue is not None
        noted = None if trace is None else self._noted(trace, name, op, inputs, settings)
        unkept = Unkept(name, NOTHING, () if noted is None else noted.record.axes)
        unkept.queue, unkept.op, unkept.inputs, unkept.settings = self._queue, op, inputs, settings
        unkept.described, unkept.make = None if noted is None else noted.described, self._make
        return unkept

    def _mixed(self, name: str, op: Op, inputs: tuple[Tensor, ...]) -> Tensor | None:
        """The mix of a pattern that is only written down; None where it is not, or does not go together with the values."""
        queue, found = self._queue, attention_of(op, *inputs)
        if queue is None or found is None:
            return None
        try:
            out = found.mixed(queue, self._memory_of(name))
        except (TypeError, ValueError):
            return None  # the step that is wrong says so
        axes = () if self._trace is None else self._noted(self._trace, name, op, inputs, {}).record.axes
        return Pending.made(name, out, axes, queue)

    def _make(self, x: Unkept, waits: bool) -> Tensor:
        """Does the step of a tensor that was only written down: behind those that wait, or at once, for whoever asks."""
        if waits:
            return self._tensor(x.name, self._made(x.name, x.op, x.inputs, x.settings), x.axes)
        return Run({}, results=frozenset({x.name})).do(x.name, x.op, x.inputs, x.settings)

    def _noted(
        self, trace: Trace, name: str, op: Op, inputs: tuple[Tensor, ...], settings: dict[str, Any], own: str = ""
    ) -> Undone:
        """Records a step that is only written down, as the last time if it is the same. own: what the names of its weights begin
        with.
        """
        assert self._repeats is not None
        others = (op, own, repr(settings) if settings else "")
        noted = self._repeats.undone.get((name, trace.keep))
        if noted is None or noted.others != others or not noted.given.same(inputs):
            operands = self._operands(op, inputs, own)
            shaped = [each.outline if isinstance(each, Tensor) else each for each in operands]
            out = unmade(*op.result(dict(zip(op.tensors, shaped, strict=True)), settings))
            noted = Undone(Given(inputs), others, Record.of(name, op, operands, settings, None, out), out)
            self._repeats.undone[name, trace.keep] = noted
        trace.record(noted.record, noted.described, "not held")
        return noted

    def _postponable(self, trace: Trace, x: Unkept) -> Tensor:
        """A tensor that is only written down, for a step that is none of attention: made some rows at a time if it is large."""
        if x.outline.shape[-2] <= ROWS:
            return x
        for each in x.inputs:
            first = self._postponable(trace, each) if isinstance(each, Unkept) else each
            if not isinstance(first.data, Unmade):
                self._at_hand[first.name] = (box_of(first.shape), first.data)
        return Tensor(x.name, x.outline, x.axes)

    def _operands(self, op: Op, inputs: Sequence[Tensor], own: str) -> list[Operand]:
        """The inputs, and the weights whose names begin so."""
        own = self._prefix + own
        operands: list[Operand] = [*inputs]
        operands += [None] * (len(op.inputs) - len(inputs))
        for kind in op.weights:
            weight = self.weights.get(f"{own}.{kind}")
            if weight is None and not op.optional(kind):
                raise ModelError(_("the model has no weight {name}", name=f"{own}.{kind}"))
            operands.append(weight)
        return operands

    def do(
        self, name: str, op: Op, operands: Sequence[Operand], settings: Mapping[str, Any], axes: Axes | None = None
    ) -> Tensor:
        """The same with every operand given, None for one that is absent, and with the whole name.

        axes: the names of the result's axes, where they are not those that the op makes of its operands'.
        """
        trace = self._trace
        if trace is not None and later(trace, name, operands):
            return self._postponed(trace, name, op, operands, settings, axes)
        out = self._made(name, op, operands, settings)
        named = () if trace is None else self._recorded(name, op, operands, settings, axes, out)
        return self._tensor(name, out, named)

    def _made(self, name: str, op: Op, operands: Sequence[Operand], settings: Mapping[str, Any]) -> Array:
        """What comes out, when all that waits is done."""
        queue = self._queue if op.one_job else None
        if queue is None:
            self._do_waiting()
        arguments: list[Any] = []
        for kind, operand in zip(op.tensors, operands, strict=True):
            if isinstance(operand, Weight):
                arguments.append(operand.given(op, kind, settings))
            else:
                arguments.append(None if operand is None else operand.taken_by(queue))
        empty = self._memory_of(name)
        try:
            if queue is not None:
                return queue.defer(op.forward, arguments, settings, empty)
            return op.forward(*arguments, **settings, empty=empty)
        except (ValueError, TypeError, IndexError) as error:
            shapes = ", ".join(f"{o.name} {o.shape}" for o in operands[: len(op.inputs)] if o is not None)
            raise type(error)(f"{name} = {op.name}({shapes}): {error}") from error

    def _do_waiting(self, given_up: bool = False) -> None:
        """Does all that waits, or gives it up."""
        if self._queue is not None:
            (self._queue.give_up if given_up else self._queue.run)()

    def _tensor(self, name: str, data: Array, axes: Axes) -> Tensor:
        """A tensor whose numbers may be still to come."""
        return Tensor(name, data, axes) if self._queue is None else Pending.made(name, data, axes, self._queue)

    def _memory_of(self, name: str) -> Empty:
        """Where the result of a step is written: if it stays for long, alone, so that it does not hold the memory of others."""
        trace = self._trace
        own = name in self._results or (trace is not None and trace.keep != "all" and trace.stays(name) != "not held")
        return alone if own or not self._arena.is_open else self._arena.empty

    def _postponed(
        self,
        trace: Trace,
        name: str,
        op: Op,
        operands: Sequence[Operand],
        settings: Mapping[str, Any],
        axes: Axes | None,
    ) -> Tensor:
        """A step that is only written down; unless the residual stream needs it: then it is done, some rows at a time."""
        given = {kind: o.data if isinstance(o, Tensor) else o for kind, o in zip(op.tensors, operands, strict=True)}
        data = unmade(*op.result(given, settings))
        tensor = Tensor(name, data, self._recorded(name, op, operands, settings, axes, data))
        kind = trace.legend.kind(name)
        if kind not in {*PAIRS, StepKind.MIX}:
            return tensor
        made = [o for o in operands if isinstance(o, Tensor) and not isinstance(o.data, Unmade)]
        self._at_hand |= {o.name: (box_of(o.data.shape), o.data) for o in made}
        if kind in PAIRS:
            return tensor
        shape = tensor.data.shape
        out = self._arena.empty(shape, tensor.data.dtype)
        recomputer = Recomputer(trace, None, self._at_hand, self._workspace.empty)
        for first in reversed(range(0, shape[-2], ROWS)):  # the last see the most keys
            self._workspace.again()
            rows = range(first, min(first + ROWS, shape[-2]))
            out[..., first : rows.stop, :] = recomputer.part(name, (*map(range, shape[:-2]), rows, range(shape[-1])))
        self._at_hand.clear()
        return Tensor(name, out, tensor.axes)

    def _recorded(
        self,
        name: str,
        op: Op,
        operands: Sequence[Operand],
        settings: Mapping[str, Any],
        axes: Axes | None,
        out: Array,
    ) -> Axes:
        assert self._trace is not None
        record = Record.of(name, op, operands, settings, axes, out)
        self._trace.record(record, out, "not held" if isinstance(out, Unmade) else None)
        return record.axes

    def drop(self, name: str, x: Tensor) -> Tensor:
        """Where a model in training leaves out some of x, whose first axis is the batch; without dropout just x."""
        if self._dropout is None:
            return x
        d, texts = self._dropout, x.shape[0]
        seed = derive(d.seed, self._prefix + name)
        return self(name, dropout, x, rate=d.rate, seed=seed, first=d.first * (math.prod(x.shape) // texts))

    def rename(self, name: str, tensor: Tensor, axes: Axes) -> Tensor:
        """The same numbers under another name; with a trace, recorded as the op `same`."""
        data = tensor.taken_by(self._queue)
        if self._trace is not None:
            record = Record(name, identity.name, (tensor.name,), (), {}, axes, data.shape, dtype_name(data.dtype))
            self._trace.record(record, data, "not held" if isinstance(data, Unmade) else None)
        return Tensor(name, data, axes) if isinstance(data, Unmade) else self._tensor(name, data, axes)

    def keep(self, name: str, new: Tensor | None, axes: Axes) -> Tensor:
        """What is made once, with the first token: kept in the cache, if there is one; None takes it from there."""
        if new is None:
            assert self._cache is not None, f"{self._prefix}{name} is in no cache"
            return self.leaf(name, self._cache.kept(self._prefix + name), axes)
        if self._cache is not None:
            self._cache.keep(self._prefix + name, new.data)
        return new

    def remember(self, name: str, new: Tensor) -> Tensor:
        """With a key/value cache that holds earlier tokens: theirs and the new ones. Otherwise just the new ones."""
        if self._cache is None:
            return new
        past, name = self._cache.length, self._prefix + name
        data = self._cache.extend(name, new.taken_by(self._queue), self._queue)
        if not past:
            return new
        axes = (*new.axes[:-2], "key", "feature")
        if self._trace is not None:
            self._trace.add_leaf(f"{name}.past", data[..., :past, :], axes)
            record = Record(
                name, concatenate.name, (f"{name}.past", new.name), (), {}, axes, data.shape, dtype_name(data.dtype)
            )
            self._trace.record(record, data)
        return self._tensor(name, data, axes)
