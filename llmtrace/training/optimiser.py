"""From gradients to new weights: every change is a step of the trace, and can be explained.

`d.NAME` is the gradient of a weight; `clipped.NAME` and `penalised.NAME` what is made of it; `mean.NAME`, `square.NAME` or
`velocity.NAME` what the optimiser remembers; `new.NAME` the weight of the next step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.ops import Op, Tensor, Weight, by_name
from llmtrace.ops.elementwise.multiply_scalar import multiply_scalar
from llmtrace.ops.elementwise.sqrt import sqrt
from llmtrace.ops.optimisers.adam_mean import adam_mean
from llmtrace.ops.optimisers.adam_square import adam_square
from llmtrace.ops.optimisers.adam_update import adam_update
from llmtrace.ops.optimisers.clip_factor import clip_factor
from llmtrace.ops.optimisers.momentum import momentum
from llmtrace.ops.optimisers.regularise import regularise
from llmtrace.ops.optimisers.sgd_step import sgd_step
from llmtrace.ops.rows.squared_norm import squared_norm
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace.run import Operand, Run
from llmtrace.training.settings import Settings, power


def memory_of(settings: Settings) -> tuple[str, ...]:
    """What the optimiser remembers of every weight."""
    if settings.optimiser != "sgd":
        return ("mean", "square")
    return ("velocity",) if settings.momentum else ()


@frozen
class State:
    """Where a training stands: after `step` steps, the weights and what the optimiser remembers of them."""

    step: int
    weights: Mapping[str, Weight]
    """By the names that the model asks for; two names may share one weight."""
    memory: Mapping[str, Array] = field(default_factory=dict)
    """By `mean.NAME` and the like; what is missing is 0."""
    summed: float = 0.0
    """The sum of the losses since the last report."""
    reported: int = 0
    """The step of that report."""


class Update:
    """One update of all weights, done by `run`."""

    def __init__(self, run: Run, settings: Settings, state: State) -> None:
        self.run, self.settings, self.state = run, settings, state
        self.rate = settings.rate_at(state.step)
        self.memory: dict[str, Array] = {}

    def norm(self, gradients: Mapping[str, Tensor]) -> Tensor:
        """The length of all gradients together: the root of the sum of all their squares."""
        summed: Tensor | None = None
        for name, gradient in gradients.items():
            squares = self._do(f"squares.{name}", squared_norm, gradient)
            summed = self._do(f"squares.total.{name}", sum_all, squares, summed)
        assert summed is not None
        return self._do("norm", sqrt, summed)

    def clip(self, gradients: Mapping[str, Tensor], norm: Tensor) -> Mapping[str, Tensor]:
        """The gradients, all shortened by one factor where they are longer than `settings.clip`."""
        limit = self.settings.clip
        if not limit or not norm.data > norm.data.dtype.type(limit):
            return gradients
        factor = self._do("clip", clip_factor, norm, limit=limit)
        return {name: self._do(f"clipped.{name}", multiply_scalar, g, factor) for name, g in gradients.items()}

    def new(self, weight: Weight, gradient: Tensor) -> Weight:
        """The weight of the next step."""
        s, name = self.settings, weight.name
        decay = s.decay if weight.data.ndim > 1 else 0.0
        l2 = s.l2 if s.optimiser == "adamw" else s.l2 + decay
        if s.l1 or l2:
            gradient = self._do(f"penalised.{name}", regularise, gradient, weight, l1=s.l1, l2=l2)
        if s.optimiser == "sgd":
            if s.momentum:
                gradient = self._remembered("velocity", momentum, name, gradient, momentum=s.momentum)
            out = self._do(f"new.{name}", sgd_step, weight, gradient, rate=self.rate)
        else:
            mean = self._remembered("mean", adam_mean, name, gradient, beta=s.momentum)
            square = self._remembered("square", adam_square, name, gradient, beta=s.square_keep)
            out = self._do(
                f"new.{name}",
                adam_update,
                weight,
                mean,
                square,
                rate=self.rate,
                mean_correction=1 - power(s.momentum, self.state.step + 1),
                square_correction=1 - power(s.square_keep, self.state.step + 1),
                epsilon=s.epsilon,
                decay=decay if s.optimiser == "adamw" else 0.0,
            )
        return weight.with_data(out.outline)

    def _remembered(self, kind: str, op: Op, name: str, gradient: Tensor, **settings: float) -> Tensor:
        before = self.state.memory.get(f"{kind}.{name}")
        if before is None:
            before = np.zeros_like(gradient.outline)
        given = self.run.leaf(f"{kind}.before.{name}", before, gradient.axes)
        new = self._do(f"{kind}.{name}", op, given, gradient, **settings)
        self.memory[new.name] = new.outline
        return new

    def _do(self, name: str, op: Op, *operands: Operand, **settings: float) -> Tensor:
        return self.run.do(name, op, operands, settings)


def updated(run: Run, settings: Settings, state: State, gradients: Mapping[str, Tensor]) -> tuple[State, float, float]:
    """The next state, the learning rate that led to it and the gradients' length; a weight without gradient stays.

    The numbers of the state are there when all is done that waits in the run's queue.
    """
    update = Update(run, settings, state)
    norm = update.norm(gradients)
    if not np.isfinite(norm.data):
        return state, update.rate, float(norm.data)
    gradients = update.clip(gradients, norm)
    own = by_name(state.weights.values())
    new = {name: update.new(own[name], gradient) for name, gradient in gradients.items()}
    weights = {key: new.get(weight.name, weight) for key, weight in state.weights.items()}
    return replace(state, step=state.step + 1, weights=weights, memory=update.memory), update.rate, float(norm.data)
