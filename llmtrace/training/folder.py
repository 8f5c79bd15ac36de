"""A folder in which a model is trained: the model as it stands, in Hugging Face's layout, and beside it all that a training
needs to go on after it was killed, to the same bits.

    config.json  model.safetensors  tokenizer.json     the model of the last checkpoint
    training/plan.json                                  what is to be done; written once
    training/tokens  training/tokens.starts             the texts as ids, and where documents begin
    training/state.safetensors                          weights, the optimiser's memory and the step, written as one
    training/log.jsonl                                  what was reported, a line each
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError, TrainingError
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops import Weight
from llmtrace.ops.op import Array
from llmtrace.storage import open_tensors, save, shown, write_whole
from llmtrace.storage.stored import all_finite
from llmtrace.tokenizers import load_tokenizer
from llmtrace.training.corpus import Tokenizer, open_ids, open_starts
from llmtrace.training.initial import initial_gpt
from llmtrace.training.optimiser import MEMORY, State
from llmtrace.training.settings import Settings, is_number, wrong
from llmtrace.weights import save_folder
from llmtrace.words import _

WEIGHT = "weight."
FORMAT = "llmtrace training 1"


@dataclass(frozen=True)
class Plan:
    """All that decides the bits of the result, besides the texts."""

    model: GPTConfig
    settings: Settings
    batch: int = 16
    """Texts (windows) in a batch."""
    validation: float = 0.1
    """The share of the texts, at their end, that is never trained on."""
    separator: str = ""
    """What every document of the texts ends with; then every window begins where a document does."""
    tokens: int = 0
    """How many tokens the texts have."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The texts' names and SHA-256, for the record."""

    def __post_init__(self) -> None:
        sizes = {name: size for name, size in asdict(self.model).items() if name != "epsilon"}
        for name, size in {**sizes, "batch": self.batch}.items():
            if type(size) is not int or size < 1:
                raise wrong(name, size, _("a whole number from {least}").format(least=1))
        if not is_number(self.validation) or self.validation >= 1:
            raise wrong("validation", self.validation, _("a number from 0, less than 1"))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"format": FORMAT, **asdict(self)}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Plan:
        """The way back."""
        if not isinstance(data, dict) or data.pop("format") != FORMAT:
            raise ValueError("format")
        model, settings = GPTConfig(**data.pop("model")), Settings(**data.pop("settings"))
        return Plan(model, settings, **data)


class TrainingFolder:
    """The files of one training."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.inner = self.path / "training"

    @property
    def begun(self) -> bool:
        """Whether a training was begun here."""
        return (self.inner / "plan.json").exists()

    def begin(self, plan: Plan, tokenizer: Tokenizer) -> None:
        """Writes the plan; from then on the training can be gone on with. The tokens must be there already."""
        tokenizer.save(self.path)
        self.write("plan.json", json.dumps(plan.to_dict(), indent=1) + "\n")

    def plan(self) -> Plan:
        """What was planned."""
        try:
            return Plan.from_dict(json.loads((self.inner / "plan.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise TrainingError(
                _("there is no training to go on with in {path}: {why}").format(path=shown(self.path), why=error)
            ) from error

    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the texts."""
        tokenizer = load_tokenizer(self.path)
        if tokenizer is None:
            raise TrainingError(_("there is no tokenizer in {path}: begin again").format(path=shown(self.path)))
        return tokenizer

    def ids(self, plan: Plan) -> Array:
        """The texts as one row of ids."""
        return open_ids(self.inner / "tokens", plan.model.vocabulary, plan.tokens)

    def starts(self) -> Array | None:
        """Where the documents of the text begin, if it was taken as documents."""
        return open_starts(self.inner / "tokens")

    def save(self, state: State, model: GPT) -> None:
        """A checkpoint. Numbers that are not finite are never written over good ones."""
        weights = {weight.name: weight.data for weight in state.weights.values()}
        for name, data in {**weights, **state.memory}.items():
            if not all_finite(data):
                raise TrainingError(_("{name} holds numbers that are not finite; nothing was saved").format(name=name))
        tensors = {**{WEIGHT + name: data for name, data in weights.items()}, **state.memory}
        self.inner.mkdir(parents=True, exist_ok=True)
        save_folder(model, self.path)  # before the state: where that says that all is done, the model is there
        save(tensors, self.inner / "state.safetensors", {"step": str(state.step)})  # of two, the order would be random

    def state(self, plan: Plan) -> State:
        """The state of the last checkpoint, or the beginning."""
        initial = initial_gpt(plan.model, plan.settings.seed)
        path = self.inner / "state.safetensors"
        if not path.exists():
            return State(0, initial)
        try:
            tensors, metadata = open_tensors(path)
            arrays = {name: tensor.read().copy() for name, tensor in tensors.items()}
            once = {w.name: w for w in initial.values()}  # two keys may share one
            own = {w.name: Weight(w.name, arrays.pop(WEIGHT + w.name), w.axes) for w in once.values()}
            step = int(metadata["step"])
        except (ModelError, KeyError, ValueError) as error:
            raise TrainingError(
                _("the checkpoint {path} can't be read: {why}").format(path=shown(path), why=error)
            ) from error
        shapes = {f"{kind}.{w.name}": w.data.shape for kind in MEMORY[plan.settings.optimiser] for w in once.values()}
        remembered = {name: data.shape for name, data in arrays.items()}
        if any(own[w.name].data.shape != w.data.shape for w in once.values()) or remembered != (shapes if step else {}):
            raise TrainingError(_("the checkpoint {path} is of another model").format(path=shown(path)))
        return State(step, {key: own[weight.name] for key, weight in initial.items()}, arrays)

    def log(self, entry: Mapping[str, Any]) -> None:
        """Adds a line to the log."""
        with (self.inner / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def last_report(self) -> dict[str, Any]:
        """What was reported last."""
        lines = (self.inner / "log.jsonl").read_text(encoding="utf-8").splitlines()
        entry: dict[str, Any] = json.loads(lines[-1])
        return entry

    def rewind_log(self, step: int) -> None:
        """Takes back the lines of steps that are done again, because the training was killed after its last checkpoint."""
        path = self.inner / "log.jsonl"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
            self.write("log.jsonl", "".join(f"{line}\n" for line in kept))

    def write(self, name: str, text: str) -> None:
        """A file beside the state, whole or not at all."""
        self.inner.mkdir(parents=True, exist_ok=True)
        write_whole(self.inner / name, [text.encode()], TrainingError)
