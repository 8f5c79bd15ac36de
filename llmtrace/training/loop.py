"""The loop of a language model's training: batches, reports, checkpoints; to be watched, stopped, and gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from llmtrace.errors import TrainingError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.models import LanguageModel, as_language_model
from llmtrace.ops import Tensor
from llmtrace.trace import Keep, Origin, Run, Trace
from llmtrace.training.data import Batch, Windows, split, split_starts
from llmtrace.training.folder import Plan, TrainingFolder
from llmtrace.training.memory import must_fit, traced_step_must_fit, weights_of
from llmtrace.training.trainer import Part, Report, Trainer
from llmtrace.weights.families import FAMILIES

MEASURED = 32
"""So many windows the validation loss is measured on."""
TOGETHER = 16
"""So many windows at once."""


@frozen
class Progress:
    """What is known after some steps."""

    step: int
    loss: float
    """The mean of the training losses since the last report, in nats per token."""
    validation: float | None
    """The loss on texts that are never trained on; None where there are none."""
    norm: float
    rate: float
    tokens_per_second: float
    seconds_left: float


def windows_of(folder: TrainingFolder, plan: Plan) -> tuple[Windows, Windows | None]:
    """The windows to train on, and those to measure on, if there is text enough; TrainingError where there is too little."""
    train, held = split(folder.ids(plan), plan.validation)
    starts, held_starts = split_starts(folder.starts(plan), len(train))
    windows = Windows(train, plan.model.context, plan.settings.seed, starts)
    with suppress(TrainingError):
        return windows, Windows(held, plan.model.context, 0, held_starts)
    return windows, None


class LanguageTraining:
    """A language model in training, in a folder. `step()` goes on by one batch; the same plan gives the same weights."""

    def __init__(self, folder: TrainingFolder, part: int = TOGETHER) -> None:
        self.folder = folder
        self.plan: Plan = folder.plan()
        self.tokenizer = folder.tokenizer()
        self.part = part
        plan = self.plan
        must_fit(FAMILIES[plan.family], plan.model, min(part, plan.batch), plan.batch)
        self.windows, self.held = windows_of(folder, plan)
        self.trainer = Trainer({}, plan.settings, folder.state(plan))
        self.owed: Progress | None = None
        """A report that was made, and that an interruption has kept from being handed out: `run` does it first."""
        self._unsaved = False

    @property
    def done(self) -> int:
        """The steps done."""
        return self.trainer.state.step

    def go_on(self, steps: int) -> None:
        """Plans a training that has come to its end anew, for so many steps in all; TrainingError where it has not, or they
        are fewer.
        """
        planned = self.plan.settings.steps
        if steps == planned:
            return
        if self.done < planned:
            text = _("{done} of {planned} steps are done: go on to the end first, without --steps")
            raise TrainingError(text.format(done=self.done, planned=planned))
        if steps < planned:
            raise TrainingError(_("{done} steps are done already: give a larger number", done=self.done))
        plan = self.plan.longer(steps)
        self.folder.change(plan)
        self.trainer.settings, self.plan = plan.settings, plan

    @property
    def model(self) -> LanguageModel:
        """The model as it stands."""
        family, name = FAMILIES[self.plan.family], self.folder.path.resolve().name
        return as_language_model(family.build(self.plan.model, self.trainer.state.weights, self.tokenizer, name))

    @property
    def size(self) -> int:
        """How many numbers are learned."""
        return weights_of(FAMILIES[self.plan.family], self.plan.model)

    def seconds_left(self) -> float | None:
        """About how long the steps that are left will take, by two that are done and taken back; None where that fails."""
        before, taken = self.trainer.state, []
        try:
            for _unused in range(2):  # the first is slower
                begun = time.perf_counter()
                self.step()
                taken.append(time.perf_counter() - begun)
        except TrainingError:
            return None
        finally:
            self.trainer.state = before
        return min(taken) * (self.plan.settings.steps - self.done)

    def step(self, trace: Trace | None = None, keep: Keep = "all") -> Report:
        """One step; TrainingError where a number is no longer finite, and then nothing has changed."""
        batch = self.windows.batch(self.done, self.plan.batch)
        parts = [batch] if trace is not None else list(batch.parts(self.part))
        return self.trainer.step(self._losses(parts, batch), [len(part.ids) for part in parts], trace, keep)

    def traced_step(self, keep: Keep = "all") -> Trace:
        """One step with everything recorded: the batch, the loss, every gradient, every new weight.

        keep: "residual" keeps only the residual stream, its gradients, and what can't be computed again from them.
        """
        ids = self.windows.batch(self.done, self.plan.batch).ids
        model = self.model
        traced_step_must_fit(model, ids, keep)
        tokens = [[model.token_text(i) for i in row] for row in ids.tolist()]
        origin = Origin(model.name, "", asdict(model.config))
        trace = Trace(self.trainer.state.weights, tokens, model.token_text, origin, model.legend)
        self.step(trace, keep)
        return trace

    def validation(self, windows: int = MEASURED) -> float | None:
        """The loss on so many windows of held-out texts."""
        if self.held is None:
            return None
        batch = self.held.evenly(windows)
        return self.trainer.evaluate(self._losses(list(batch.parts(self.part)), batch))

    def save(self) -> None:
        """A checkpoint; TrainingError, and the last one stays, where the model no longer computes finite numbers from
        the next batch.
        """
        batch = next(self.windows.batch(self.done, self.plan.batch).parts(self.part))
        self.trainer.evaluate(self._losses([batch], batch))
        self.folder.save(self.trainer.state, self.model)

    def reports(self) -> list[dict[str, Any]]:
        """All that was reported of the steps done."""
        return [entry for entry in self.folder.reports() if entry["step"] <= self.done]

    def run(self, report: int, checkpoint: int, tick: Callable[[Report], object] | None = None) -> Iterator[Progress]:
        """All steps that are left; a report after every `report` of them, a checkpoint after every `checkpoint` and at the
        end. `tick` is told of every step. Where the caller breaks off, or a Ctrl-C comes, the state is that of the last whole
        step, its report included, and the next run does first what this one owed.
        """
        steps, tokens = self.plan.settings.steps, self.plan.batch * self.plan.model.context
        busy, begun = 0.0, self.done
        self.folder.rewind_log(self.done)  # of steps that a kill, or an interruption, has undone
        while self.done < steps or self.owed is not None or self._unsaved:
            if self.owed is None and not self._unsaved:
                whole = self.trainer.state
                try:
                    before = time.perf_counter()
                    last = self.step()
                    busy += time.perf_counter() - before
                    if tick is not None:
                        tick(last)
                    if last.step % report == 0 or last.step == steps or last.step == 1:
                        self._report(last, tokens, busy / (last.step - begun))
                    self._unsaved = last.step % checkpoint == 0 or last.step == steps
                except BaseException:  # else a report that was interrupted would be lost
                    self.trainer.state, self.owed, self._unsaved = whole, None, False
                    raise
            if self._unsaved:
                self.save()
                self._unsaved = False
            if self.owed is not None:
                progress, self.owed = self.owed, None
                yield progress

    def _report(self, last: Report, tokens: int, seconds: float) -> None:
        """Measures where the training is; `seconds` is what a step of `tokens` takes."""
        state, left = self.trainer.state, seconds * (self.plan.settings.steps - last.step)
        loss = state.summed / (last.step - state.reported)
        progress = Progress(last.step, loss, self.validation(), last.norm, last.rate, tokens / seconds, left)
        self.trainer.state = replace(state, summed=0.0, reported=last.step)
        self._log(progress)  # before the checkpoint: after a kill in between, the step is done and logged again
        self.owed = progress

    def _log(self, progress: Progress) -> None:
        entry = asdict(progress)
        del entry["seconds_left"]
        self.folder.log(entry)

    def _losses(self, parts: list[Batch], whole: Batch) -> list[Part]:
        model = self.model
        return [partial(_loss, model, part, whole.ids.size) for part in parts]


def _loss(model: LanguageModel, part: Batch, count: int, run: Run, start: Tensor | None) -> tuple[Tensor, Tensor]:
    return model.loss(run, part.ids, part.targets, count, start)
