"""The training step: forward, loss, backward, update; all of it traced, whether anybody keeps the trace or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.errors import TrainingError
from llmtrace.explain.not_finite import first_place
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.ops import Tensor, Weight
from llmtrace.rng import derive
from llmtrace.storage.stored import all_finite
from llmtrace.trace import Backward, Dropout, Keep, Run, Step, Trace
from llmtrace.training.optimiser import State, updated
from llmtrace.training.settings import Settings

Part = Callable[[Run, Tensor | None], tuple[Tensor, Tensor]]
"""One part of a batch: does the forward with a run. Takes the sum of the losses of the parts before, and returns the loss and
the sum so far; the loss is that sum divided by the count of the whole batch."""


@frozen
class Report:
    """What one step showed."""

    step: int
    """The steps done, this one included."""
    loss: float
    """Before the weights changed."""
    norm: float
    """The length of the gradient."""
    rate: float
    """The learning rate."""


class Trainer:
    """Changes weights step by step so that a loss falls. `state` is where it stands; a step that fails leaves it as it was.

    The memory of one step is used again by the next, so a trainer is fast and needs no more than its largest step.
    """

    def __init__(self, weights: Mapping[str, Weight], settings: Settings, state: State | None = None) -> None:
        self.settings = settings
        state = state or State(0, dict(weights))
        self.state = replace(state, weights=whole(state.weights))
        self._arenas = [_kernels.Arena()]  # at most one, that nobody writes to

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ({}, self.settings, self.state)

    def step(
        self, parts: Sequence[Part], texts: Sequence[int] = (), trace: Trace | None = None, keep: Keep = "all"
    ) -> Report:
        """One step on a batch, run in parts; the bits of the result do not depend on how it is parted.

        texts: how many texts each part has, for dropout, which must know its place in the whole batch.
        trace: where to record everything; the batch must then be one part.
        keep: what of it that trace keeps.

        Raises TrainingError where a number is no longer finite.
        """
        expect_parts(parts)
        state = self.state
        with np.errstate(all="ignore"), self._memory() as arena:
            queue = None if trace is not None else _kernels.Queue(arena)  # who records may look at numbers on the way
            loss, summed, sums = np.float64(np.nan), None, dict[str, Tensor]()
            for part, first in zip(parts, _firsts(texts, len(parts)), strict=True):
                kept = trace if trace is not None else Trace(state.weights)
                with self._run(kept, first, arena).waiting_in(queue) as run:
                    last, summed = part(run, summed)
                    if trace is None:  # of what nobody keeps, only what leads to the loss must be written down
                        run = Run(state.weights, arena=arena).waiting_in(queue)
                    walk = Backward(run, kept, last.name, sums, keep="nothing" if trace is None else keep)
                    sums = walk.sums
                loss = np.float64(last.data)
            with run:
                new, rate, norm = updated(run, self.settings, state, walk.gradients())
        if trace is not None and keep == "residual":
            trace.reduce()
        if not (np.isfinite(loss) and np.isfinite(norm) and _all_finite(new)):
            raise TrainingError(self._why_not_finite(parts, texts))
        self.state = replace(new, summed=state.summed + float(loss))
        return Report(new.step, float(loss), norm, rate)

    def evaluate(self, parts: Sequence[Part]) -> float:
        """The loss, without a change. TrainingError where it is not finite."""
        expect_parts(parts)
        summed: Tensor | None = None
        with np.errstate(all="ignore"), self._memory() as arena:
            queue = _kernels.Queue(arena)
            for part in parts:
                with Run(self.state.weights, arena=arena).waiting_in(queue) as run:
                    loss, summed = part(run, summed)
        if not np.isfinite(loss.data):
            raise TrainingError(self._why_not_finite(parts))
        return float(loss.data)

    @contextmanager
    def _memory(self) -> Iterator[_kernels.Arena]:
        """Where to write: in memory that was written before, which is fast. Whoever comes meanwhile gets some of their own, for a
        step that waits may read what seems to be free.
        """
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = _kernels.Arena()
        try:
            yield arena
        finally:
            self._arenas[:] = [arena]

    def _run(self, trace: Trace, first: int, arena: _kernels.Arena) -> Run:
        s = self.settings
        dropout = Dropout(s.dropout, derive(s.seed, "dropout", self.state.step), first) if s.dropout else None
        return Run(self.state.weights, trace, arena=arena, dropout=dropout)

    def _why_not_finite(self, parts: Sequence[Part], texts: Sequence[int] | None = None) -> str:
        """Does it again, keeps everything, and finds the first number that is not finite.

        texts: as in `step`; None where only the loss was asked for.
        """
        state = self.state
        summed, sums = None, dict[str, Tensor]()
        with np.errstate(all="ignore"), self._memory() as arena:
            for part, first in zip(parts, _firsts(texts or (), len(parts)), strict=True):
                trace = Trace(state.weights)
                run = Run(state.weights, trace, arena=arena) if texts is None else self._run(trace, first, arena)
                with run:
                    last, summed = part(run, summed)
                    if texts is not None:
                        walk = Backward(run, trace, last.name, sums)
                        sums = walk.sums
                        updated(run, self.settings, state, walk.gradients())
                for step in trace.steps:
                    place = first_place(step.output, step)
                    if place is not None:
                        return self._said(step, place, texts is None)
        raise AssertionError("every number is finite")

    def _said(self, step: Step, place: tuple[int, ...], after: bool) -> str:
        number = self.state.step + (not after)
        when = _("after step {step}") if after else _("in step {step}")
        layer = LAYER.search(step.name)
        text = _(
            "training stopped {when}: the first number that is not finite appeared in layer {layer}, op {op}:"
            " {address} = {value}; the learning rate was {rate:.3g}: try a lower one"
        )
        return text.format(
            when=when.format(step=number),
            layer=layer[0] if layer else step.name,
            op=step.record.op,
            address=f"{step.name}[{', '.join(map(str, place))}]",
            value=step.output[place],
            rate=self.settings.rate_at(max(0, number - 1)),
        )


LAYER = re.compile(r"block\.\d+|embed|ln_f|logits|loss\b")
"""The part of a step's name that says in which layer it is; `d.block.0.mlp.up` is the gradient of something in block.0."""


def expect_parts(parts: Sequence[Part]) -> None:
    """TrainingError where there is none."""
    if not parts:
        raise TrainingError(_("there is nothing to train on: a batch has at least one part"))


def whole(weights: Mapping[str, Weight]) -> dict[str, Weight]:
    """The same weights, each in memory of its own without gaps: queries, keys and values are often parts of one array."""
    own = {w.name: w.with_data(np.ascontiguousarray(w.data)) for w in weights.values()}
    return {key: own[weight.name] for key, weight in weights.items()}


def _firsts(texts: Sequence[int], parts: int) -> list[int]:
    """How many texts come before each part."""
    return [sum(texts[:i]) for i in range(parts)]


def _all_finite(state: State) -> bool:
    return all(all_finite(weight.data) for weight in state.weights.values())
