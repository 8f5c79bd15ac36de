"""A folder in which a model is trained: the model as it stands, in Hugging Face's layout, and beside it all that a training
needs to go on after it was killed, to the same bits.

    config.json  model.safetensors  tokenizer.json     the model of the last checkpoint
    training/plan.json                                  what is to be done; written once
    training/tokens  training/tokens.starts             the texts as ids, and where documents begin
    training/state.safetensors                          weights, the optimiser's memory and the step, written as one
    training/log.jsonl                                  what was reported, a line each
    training/lock                                       locked while a training is at work here
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError, TrainingError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.models import LanguageModel
from llmtrace.ops import by_name
from llmtrace.storage import open_tensors, save, write_whole
from llmtrace.storage.files import read_json
from llmtrace.storage.lock import locked
from llmtrace.storage.replace import refuse
from llmtrace.storage.stored import all_finite
from llmtrace.text import shown
from llmtrace.tokenizers import Tokenizer, load_tokenizer
from llmtrace.training.corpus import Corpus, Progress
from llmtrace.training.optimiser import State, memory_of
from llmtrace.training.report_log import read_log
from llmtrace.training.settings import LARGEST, Settings, expect_possible, is_number, setting, wrong
from llmtrace.weights import save_folder
from llmtrace.weights.families import FAMILIES

WEIGHT = "weight."
REPORTED = "reported"
"""Two numbers: the sum of the losses since the last report, and the step of that."""
FORMAT = "llmtrace training 1"
LOCK = "lock"
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")
INNER_FILES = ("tokens", "tokens.starts", "state.safetensors", "log.jsonl")


@frozen
class Plan:
    """All that decides the bits of the result, besides the texts."""

    model: Any
    """The sizes."""
    settings: Settings
    corpus: Corpus
    batch: int = setting(16, N_("Texts read in one step."), least=1)
    validation: float = setting(
        0.1, N_("Share of the text, at its end, to measure on; the model is never trained on it."), share=True
    )
    family: str = "gpt2"
    """Which kind of model is trained (`llmtrace.weights.families`)."""
    earlier: tuple[int, ...] = ()
    """After how many steps the training was to end before it was gone on with."""

    def __post_init__(self) -> None:
        for entry in fields(self.model):
            size = getattr(self.model, entry.name)
            if entry.default is MISSING and (type(size) is not int or not 1 <= size <= LARGEST):
                raise wrong(entry.name, size, _("a whole number from {least} to {most}", least=1, most=LARGEST))
            elif isinstance(entry.default, float) and not is_number(size):
                raise wrong(entry.name, size, _("a number from 0"))
            elif entry.default is not MISSING and type(size) is not type(entry.default):
                raise wrong(entry.name, size, _("a value like {example}", example=repr(entry.default)))
        expect_possible(self)

    def longer(self, steps: int) -> Plan:
        """The plan of a training that goes on when it has come to its end, up to so many steps."""
        return replace(self, settings=replace(self.settings, steps=steps), earlier=(*self.earlier, self.settings.steps))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        data = asdict(self)
        return {"format": FORMAT, **data.pop("corpus"), **data}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Plan:
        """The way back."""
        if not isinstance(data, dict) or data.pop("format") != FORMAT:
            raise ValueError("format")
        config = FAMILIES[data.get("family", "gpt2")].config
        model, settings = config(**data.pop("model")), Settings(**data.pop("settings"))
        corpus = Corpus(**{f.name: data.pop(f.name) for f in fields(Corpus)})
        return Plan(model, settings, corpus, **{**data, "earlier": tuple(data.get("earlier", ()))})


class TrainingFolder:
    """The files of one training."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.inner = self.path / "training"

    @property
    def begun(self) -> bool:
        """Whether a training was begun here."""
        return (self.inner / "plan.json").exists()

    def make(self) -> None:
        """Makes the folder; TrainingError where that can't be."""
        try:
            self.inner.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            refuse(self.path, error, TrainingError)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other processes from training here. However this one ends, the system then takes the lock away."""
        self.make()
        text = _("another training is at work in {folder}: wait until it ends, or give another folder")
        with locked(self.inner / LOCK, TrainingError(text.format(folder=shown(self.path)))):
            yield

    @contextmanager
    def anew(self) -> Iterator[list[Path]]:
        """The same for a training that is to begin: where it does not come to that, nothing stays behind.

        Yields the files that are there already, would be written over, and are not of a training that was killed early.
        """
        own = [self.path / name for name in MODEL_FILES] + [self.inner / name for name in INNER_FILES]
        there = [path for path in own if path.exists()]
        killed = (self.inner / LOCK).exists()
        new = [path for path in (self.inner, self.path, *self.path.parents) if not path.exists()]
        try:
            with self.alone():
                yield [path for path in there if not killed or path.name in MODEL_FILES[:2]]
        except BaseException:
            if not self.begun:
                for path in (*(each for each in own if each not in there), self.inner / LOCK):
                    with suppress(OSError):
                        path.unlink()
                for path in new:
                    with suppress(OSError):
                        path.rmdir()
            raise

    def encode(
        self, paths: Sequence[Path], tokenizer: Tokenizer, separator: str = "", progress: Progress | None = None
    ) -> Corpus:
        """Writes the texts as tokens (see `Corpus.write`)."""
        self.make()
        return Corpus.write(self.inner / "tokens", paths, tokenizer, separator, progress)

    def begin(self, plan: Plan, tokenizer: Tokenizer) -> None:
        """Writes the plan; from then on the training can be gone on with. The tokens must be there already."""
        tokenizer.save(self.path)
        self.change(plan)

    def change(self, plan: Plan) -> None:
        """Writes the plan anew."""
        self.write("plan.json", json.dumps(plan.to_dict(), indent=1) + "\n")

    def plan(self) -> Plan:
        """What was planned."""
        try:
            return Plan.from_dict(read_json(self.inner / "plan.json"))
        except (ModelError, TrainingError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise TrainingError(
                _("there is no training to go on with in {path}: {why}", path=shown(self.path), why=shown(error))
            ) from error

    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the texts."""
        tokenizer = load_tokenizer(self.path)
        if tokenizer is None:
            raise TrainingError(_("there is no tokenizer in {path}: begin again", path=shown(self.path)))
        return tokenizer

    def ids(self, plan: Plan) -> Array:
        """The texts as one row of ids."""
        return plan.corpus.ids(self.inner / "tokens", plan.model.vocabulary)

    def starts(self, plan: Plan) -> Array | None:
        """Where the documents of the text begin, if it was taken as documents."""
        return plan.corpus.starts(self.inner / "tokens")

    def save(self, state: State, model: LanguageModel) -> None:
        """A checkpoint. Numbers that are not finite are never written over good ones."""
        weights = {weight.name: weight.data for weight in state.weights.values()}
        for name, data in {**weights, **state.memory}.items():
            if not all_finite(data):
                raise TrainingError(_("{name} holds numbers that are not finite; nothing was saved", name=name))
        tensors = {**{WEIGHT + name: data for name, data in weights.items()}, **state.memory}
        tensors[REPORTED] = np.array([state.summed, state.reported])
        self.make()
        save_folder(model, self.path)  # before the state: where that says that all is done, the model is there
        save(tensors, self.inner / "state.safetensors", {"step": str(state.step)})  # of two, the order would be random

    def state(self, plan: Plan) -> State:
        """The state of the last checkpoint, or the beginning."""
        initial = FAMILIES[plan.family].initial(plan.model, plan.settings.seed)
        path = self.inner / "state.safetensors"
        if not path.exists():
            return State(0, initial)
        try:
            tensors, metadata = open_tensors(path, N_("take it from a copy, or train once more"))
            step = int(metadata["step"])
            losses = tensors.pop(REPORTED, None)  # an older file has none
            summed, reported = losses.data.view("<f8").tolist() if losses else (0.0, step)
            arrays = {name: tensor.read().copy() for name, tensor in tensors.items()}
            once = by_name(initial.values())  # a tied one has two keys
            own = {name: weight.with_data(arrays.pop(WEIGHT + name)) for name, weight in once.items()}
            if not 0 <= reported <= step:
                raise ValueError(REPORTED)
            if step > plan.settings.steps:
                raise ValueError(_("it says that {step} steps were done", step=step))
        except (ModelError, KeyError, ValueError) as error:
            raise TrainingError(_("the checkpoint {path} can't be read: {why}", path=shown(path), why=error)) from error
        shapes = {f"{kind}.{w.name}": w.data.shape for kind in memory_of(plan.settings) for w in once.values()}
        remembered = {name: data.shape for name, data in arrays.items()}
        if any(own[w.name].data.shape != w.data.shape for w in once.values()) or remembered != (shapes if step else {}):
            raise TrainingError(_("the checkpoint {path} is of another model", path=shown(path)))
        return State(step, {key: own[weight.name] for key, weight in initial.items()}, arrays, summed, int(reported))

    def log(self, entry: Mapping[str, Any]) -> None:
        """Adds a line to the log."""
        path = self.inner / "log.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            refuse(path, error, TrainingError)

    def reports(self) -> list[dict[str, Any]]:
        """All that was reported."""
        return read_log(self.inner / "log.jsonl")

    def last_report(self) -> dict[str, Any]:
        """What was reported last."""
        return self.reports()[-1]

    def rewind_log(self, step: int) -> None:
        """Takes back the lines of steps that are done again, because the training was killed after its last checkpoint."""
        if (self.inner / "log.jsonl").exists():
            kept = [json.dumps(entry) for entry in self.reports() if entry["step"] <= step]
            self.write("log.jsonl", "".join(f"{line}\n" for line in kept))

    def write(self, name: str, text: str) -> None:
        """A file beside the state, whole or not at all."""
        self.make()
        write_whole(self.inner / name, [text.encode()], TrainingError)
