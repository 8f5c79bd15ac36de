"""What a worker does: runs some prompts, writes what is kept of them, and hands back their rows.

What travels to it are paths and prompts, never weights. Each process loads the model once, makes sure that it is the right
one, and computes with one thread.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.corpus.prompts import Item
from llmtrace.errors import AddressError, CorpusError, DoesNotFitError, ModelError, PromptError
from llmtrace.experiments.surprise import MEAN, PERPLEXITY, TOTAL, judged
from llmtrace.explain.address import parse, resolve_part
from llmtrace.explain.not_finite import warning
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.loading import load
from llmtrace.models import LanguageModel, WithSpecial, as_language_model
from llmtrace.ops import Tensor
from llmtrace.storage.digest import PIECE, array_digest, weights_hash
from llmtrace.storage.files import open_regular
from llmtrace.storage.replace import write_whole
from llmtrace.text import shown
from llmtrace.threads import set_threads
from llmtrace.tokenizers.fingerprint import tokenizer_hash
from llmtrace.trace import Run, Trace

SHARDS, SUFFIX = "shards", ".safetensors"
DONE, FAILED, UNFINISHED = "done", "failed", "unfinished"
"""What becomes of a prompt: it ran; it can't be run; or what ran it was ended, and it is run again the next time."""
_one_at_a_time = threading.Lock()
_loaded: dict[tuple[str, str], LanguageModel] = {}


@frozen
class Task:
    """Some prompts, and what a worker must know to run them."""

    model: str
    """What `llmtrace.load` takes."""
    model_hash: str
    folder: str
    keep: tuple[str, ...]
    """The addresses of what is kept of each run."""
    special: bool
    items: tuple[Item, ...]


def model_hash(model: LanguageModel) -> str:
    """SHA-256 of what a model makes of a text: its kind, its sizes and settings, and the checksums of its weights and of its
    tokenizer.
    """
    settings = json.dumps(asdict(model.config), sort_keys=True)
    parts = [type(model).__name__, settings, weights_hash(model.weights), tokenizer_hash(model.tokenizer), model.begin]
    whole = "".join(f"{part}\n" for part in parts)
    return hashlib.sha256(whole.encode()).hexdigest()


def loaded(reference: str, expected: str) -> LanguageModel:
    """The model, loaded once in each process; CorpusError where another one has its place here."""
    with _one_at_a_time:
        if (reference, expected) not in _loaded:
            model = as_language_model(load(reference))
            if model_hash(model) != expected:
                text = _("{model} is another model here than where the corpus was begun", model=shown(reference))
                raise CorpusError(text)
            _loaded.clear()
            _loaded[reference, expected] = model
        set_threads(1)
        return _loaded[reference, expected]


def work(task: Task) -> list[dict[str, Any]]:
    """Runs the prompts of a task, one after the other; the rows, in their order."""
    model = loaded(task.model, task.model_hash)
    rows: list[dict[str, Any]] = []
    kept: dict[str, Array] = {}
    for item in task.items:
        row, arrays = run_one(model, item, task)
        rows.append(row)
        kept |= {f"{item.id}/{name}": array for name, array in arrays.items()}
    shard = write_shard(Path(task.folder), kept) if kept else ""
    for row in rows:
        row["shard"] = shard if row["kept"] else ""
    return rows


def run_one(model: LanguageModel, item: Item, task: Task) -> tuple[dict[str, Any], dict[str, Array]]:
    """The row of a prompt, and what is kept of its run."""
    row = empty_row(item, task.model_hash)
    try:
        ids, scores, arrays = _ran(model, item, task)
    except (PromptError, AddressError) as error:
        return row | {"status": FAILED, "reason": str(error)}, {}
    except (DoesNotFitError, MemoryError) as error:
        return row | {"status": UNFINISHED, "reason": str(error) or _("there was not enough memory")}, {}
    row |= {"status": DONE, "tokens": len(ids), "ids": ids, "kept": digest_of(arrays) if arrays else ""}
    row["reason"] = _not_finite(model, ids, scores)
    if len(ids) > 1:
        with Run(model.weights, results=frozenset({TOTAL, MEAN, PERPLEXITY})) as run:
            logits = Tensor("logits", scores[:-1], ("position", "vocabulary"))
            made = judged(run, logits, np.array(ids[1:], np.int64), count=len(ids) - 1)
        row |= {
            name: _plain(made[step]) for name, step in (("total", TOTAL), ("loss", MEAN), ("perplexity", PERPLEXITY))
        }
    return row, arrays


def _not_finite(model: LanguageModel, ids: list[int], scores: Array) -> str:
    """What is said of the first number of a run that is not finite, where the scores are not."""
    return "" if np.isfinite(scores).all() else warning(model.trace(ids))


def _plain(number: Array) -> float | None:
    """A loss as JSON has it: None where it is not finite."""
    return float(number) if np.isfinite(number) else None


def _ran(model: LanguageModel, item: Item, task: Task) -> tuple[list[int], Array, dict[str, Array]]:
    """The tokens of a prompt, the scores after each, and what is kept. Steps are recorded only where one is asked for."""
    prompt = item.prompt
    if isinstance(prompt, str) and task.special:
        prompt = WithSpecial(prompt)
    ids: list[int] = model.ids([] if prompt is None else prompt).tolist()
    if not task.keep or task.keep == ("logits[-1]",):
        scores = model.logits(ids)
        return ids, scores, dict.fromkeys(task.keep, scores[-1])
    trace = model.trace(ids)
    return ids, trace.tensor("logits"), {address: part(trace, address) for address in task.keep}


def part(trace: Trace, address: str) -> Array:
    """The numbers at an address: a whole tensor, a slice of it, or one number. AddressError where there is none."""
    name, places, by_axis = parse(address)
    tensor = trace.tensor(name)
    return np.array(tensor[resolve_part(trace, name, places, by_axis)])


def empty_row(item: Item, model: str) -> dict[str, Any]:
    """The row of a prompt of which nothing is known yet."""
    known = {"number": item.number, "id": item.id, "text_sha256": item.digest, "model": model, "tokens": 0, "ids": []}
    numbers = {"total": None, "loss": None, "perplexity": None}
    return known | numbers | {"status": FAILED, "reason": item.reason, "shard": "", "kept": ""}


def digest_of(arrays: Mapping[str, Array]) -> str:
    """SHA-256 over a line `address type shape digest` for each array, by address."""
    whole = hashlib.sha256()
    for name in sorted(arrays):
        shape = "x".join(map(str, arrays[name].shape))
        whole.update(f"{name} {arrays[name].dtype.name} {shape} {array_digest(arrays[name])}\n".encode())
    return whole.hexdigest()


def write_shard(folder: Path, arrays: Mapping[str, Array]) -> str:
    """Writes a safetensors file that is named by its content; returns the name."""
    from safetensors.numpy import save

    content = save({name: np.asarray(a, a.dtype.newbyteorder("<"), order="C") for name, a in arrays.items()})
    name = f"{hashlib.sha256(content).hexdigest()}{SUFFIX}"
    path = folder / SHARDS / name
    if not is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [content], CorpusError)
    return name


def is_whole(shard: Path) -> bool:
    """Whether a shard is there, with the content that its name says. All of it is read."""
    digest = hashlib.sha256()
    try:
        with open_regular(shard) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    except ModelError:
        return False
    return shard.name == f"{digest.hexdigest()}{SUFFIX}"
