"""The run of a corpus: tasks go out to whoever computes, rows come back, and what is finished is never done again."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmtrace.corpus.blocks import blocks
from llmtrace.corpus.engines import Engine, engine
from llmtrace.corpus.prompts import Item, items
from llmtrace.corpus.records import LINES, LOCK, PARQUET, Records, Row, corpus_hash
from llmtrace.corpus.work import DONE, FAILED, UNFINISHED, Task, empty_row, model_hash, part, work
from llmtrace.errors import CorpusError, LlmtraceError
from llmtrace.explain.address import parse
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.loading import load
from llmtrace.models import LanguageModel, Model, as_language_model
from llmtrace.models.reading import SourceModel
from llmtrace.storage.lock import locked
from llmtrace.storage.replace import refuse
from llmtrace.text import cited, shown
from llmtrace.threads import get_threads, set_threads

AHEAD = 64
"""So many tasks are out at a time, so that none of many workers waits."""
TRIES = 2
"""So often a task may be lost before it is run alone, to see whether it is what ends the process."""

Progress = Callable[[int, int], None]


@frozen
class Report:
    """What has come of a corpus."""

    folder: Path
    hash: str
    """The same whatever ran it, in which order, with how many workers, and however often it was ended on the way."""
    counts: dict[str, int]
    """How many prompts are `done`, have `failed` or are `unfinished`."""
    skipped: int
    """How many of them were finished before this run."""
    seconds: float
    rows: tuple[Row, ...]

    @property
    def index(self) -> Path:
        """The file with a row for each prompt."""
        return next(self.folder / name for name in (PARQUET, LINES) if (self.folder / name).exists())

    @property
    def rate(self) -> float:
        """Prompts per second of this run."""
        return (sum(bool(row["text_sha256"]) for row in self.rows) - self.skipped) / self.seconds


def trace(
    prompts: str | os.PathLike[str] | Iterable[Any],
    model: str | os.PathLike[str] | Model,
    out: str | os.PathLike[str],
    executor: Executor | None = None,
    *,
    keep: Iterable[str] = (),
    special: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Runs every prompt through a model and writes an index, and what is to be kept, into the folder `out`.

    prompts: a file with a line of JSON for each, or texts, lists of token ids, or mappings with `text` or `ids`, and `id`.
    model: what `llmtrace.load` takes, on every machine that computes the same; or such a model that is loaded.
    executor: any of `concurrent.futures`; without one, `workers` processes (as many as there are cores) run here.
    keep: addresses such as `logits[-1]` or `block.0.residual_out`. special: special tokens in texts count as such.
    progress: is told how many prompts are finished, and of how many.

    What is finished in `out` is skipped. A prompt that can't be run is a row with its reason.
    """
    started, threads = time.monotonic(), get_threads()
    keep, computing = _addresses(keep), engine(executor, workers)
    reader = as_language_model(model if isinstance(model, Model) else load(model))
    task = Task(_reference(reader), model_hash(reader), "", keep, special, ())
    _expect_kept(reader, task.keep)
    asked = items(prompts)
    together = list(blocks(asked, reader.parameters()))
    folder = _made(out)
    busy = CorpusError(_("another run is at work in {folder}: wait until it ends", folder=shown(folder)))
    with locked(folder / LOCK, busy):
        records = Records(folder)
        plan = {"model": task.model_hash, "name": reader.name, "keep": list(task.keep), "special": special}
        records.begin(plan)
        del reader
        found = _Run(records, replace(task, folder=str(folder)), together, progress)
        skipped = sum(item.prompt is not None and found.is_finished(item) for item in asked)
        try:
            found.go(computing)
        finally:
            set_threads(threads)  # a worker in this process has computed with one
        rows = found.rows()
        records.end(rows)
        counts = {DONE: 0, FAILED: 0, UNFINISHED: 0} | Counter(row["status"] for row in rows)
        done = corpus_hash(rows)
        records.write_plan(plan | {"hash": done, "prompts": len(rows), **counts})
    return Report(folder, done, counts, skipped, time.monotonic() - started, tuple(rows))


def _reference(model: LanguageModel) -> str:
    if isinstance(model, SourceModel):
        raise CorpusError(
            _("{model} answers texts; a corpus needs a model that goes on with them", model=cited(model.name))
        )
    if not model.reference:
        raise CorpusError(
            _("workers load the model from disk: give the folder of one, and not one that is only in memory")
        )
    return model.reference


def _expect_kept(model: LanguageModel, keep: tuple[str, ...]) -> None:
    """AddressError where a run has no such step, before anything is run."""
    if keep:
        one = model.trace([0])
        for address in keep:
            part(one, parse(address)[0])


def _addresses(keep: Any) -> tuple[str, ...]:
    addresses = tuple(keep) if isinstance(keep, Iterable) and not isinstance(keep, str) else (None,)
    if not all(isinstance(address, str) for address in addresses):
        text = _("keep is a list of addresses such as logits[-1], not {what}")
        raise CorpusError(text.format(what=cited(keep)))
    return addresses


def _made(out: Any) -> Path:
    if not isinstance(out, str | os.PathLike):
        raise CorpusError(_("the folder of a corpus is given by its path, not by {what}", what=cited(out)))
    folder = Path(out).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        refuse(folder, error, CorpusError)
    return folder


class _Run:
    """What is still to be done, and what is out."""

    def __init__(
        self, records: Records, task: Task, together: list[tuple[Item, ...]], progress: Progress | None
    ) -> None:
        self.records, self.task, self.together, self.progress = records, task, together, progress
        self.asked = [item for block in together for item in block]
        self._lost: Counter[Task] = Counter()
        self._again: deque[Task] = deque()
        self._alone: deque[Task] = deque()
        self._out: dict[Future[Any], Task] = {}
        self.finished = sum(map(self.is_finished, self.asked))

    def is_finished(self, item: Item) -> bool:
        """Whether there is nothing to be done: it ran before, or it can't be run."""
        return item.prompt is None or self.records.finished(item.id, item.digest) is not None

    def rows(self) -> list[Row]:
        """A row for each prompt, in their order."""
        return [
            empty_row(item, self.task.model_hash)
            if item.prompt is None
            else self.records.row(item.id, item.digest) | {"number": item.number}
            for item in self.asked
        ]

    def _tasks(self) -> Iterator[Task]:
        """Blocks of prompts, always the same ones, less those that are finished."""
        for block in self.together:
            left = [item for item in block if not self.is_finished(item)]
            if left:
                yield replace(self.task, items=tuple(left))

    def go(self, engine: Engine) -> None:
        """Runs all; what is lost with a worker is run again, at last alone."""
        tasks = self._tasks()
        self._tell(0)
        try:
            while self._send(engine, tasks):
                self._collect(engine)
        finally:
            for future in self._out:
                future.cancel()
            engine.close()

    def _send(self, engine: Engine, tasks: Iterator[Task]) -> bool:
        """Sends out what there is room for; whether anything is out."""
        while len(self._out) < AHEAD:
            task = self._again.popleft() if self._again else next(tasks, None)
            if task is None or self._submit(engine, task).done():
                break  # what has been run at once, in this process, is written down before anything else is run
        if not self._out and self._alone:  # nothing else is out: who ends the process now is known
            self._submit(engine, self._alone.popleft())
        return bool(self._out)

    def _submit(self, engine: Engine, task: Task) -> Future[Any]:
        try:
            future = engine.submit(work, task)
        except BrokenExecutor as error:
            self._must_renew(engine, error)
            future = engine.submit(work, task)
        self._out[future] = task
        return future

    def _collect(self, engine: Engine) -> None:
        """Waits for a task, and takes what has come of all that are there."""
        ready, _not_yet = wait(self._out, return_when=FIRST_COMPLETED)
        broken: BrokenExecutor | None = None
        for future in ready:
            task = self._out.pop(future)
            try:
                rows = future.result()
            except LlmtraceError:
                raise
            except (Exception, CancelledError) as error:
                broken = error if isinstance(error, BrokenExecutor) else broken
                self._lose(task, error)
            else:
                self.records.add(rows)
                self._tell(len(rows))
        if broken is not None:
            for task in self._out.values():
                self._lose(task, broken)
            self._out.clear()
            self._must_renew(engine, broken)

    def _must_renew(self, engine: Engine, error: BrokenExecutor) -> None:
        if not engine.renew():
            text = _("the executor can't go on ({why}); what is finished is kept: run it again to go on")
            raise CorpusError(text.format(why=shown(error))) from error

    def _lose(self, task: Task, error: BaseException) -> None:
        """A task whose worker was ended: it goes out again, then alone, then each of its prompts; a last one is given up."""
        self._lost[task] += 1
        if self._lost[task] < TRIES:
            self._again.append(task)
        elif self._lost[task] == TRIES:
            self._alone.append(task)
        elif len(task.items) > 1:
            singles = [replace(task, items=(item,)) for item in task.items]
            self._lost.update(dict.fromkeys(singles, TRIES))
            self._alone.extend(singles)
        else:
            why = _("the process that ran it was ended ({why}); it is run again the next time")
            reason = why.format(why=shown(error) or type(error).__name__)
            row = empty_row(task.items[0], task.model_hash)
            self.records.add([row | {"status": UNFINISHED, "reason": reason}])
            self._tell(1)

    def _tell(self, more: int) -> None:
        self.finished += more
        if self.progress is not None:
            self.progress(self.finished, len(self.asked))
