"""Finding the weights of a model folder: one safetensors file, or several with an index that says what is where."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular, read_json
from llmtrace.storage.foreign import kind_of_file
from llmtrace.storage.stored import StoredTensor, open_tensors
from llmtrace.text import shown
from llmtrace.weights.names import Problem, some, together

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
LARGEST, MOST_TENSORS = 32 << 20, 1 << 18
"""Bytes of an index, and tensors that it names: those of the largest models have a third of that."""
ELSEWHERE = re.compile(r"[/\\:\0]|\A\.{0,2}\Z")
"""What the name of a file in the index's own folder is not."""
LOOKED_AT = 200
"""So many files of a folder without weights are looked at, to say what is there instead."""


def read_folder_tensors(folder: Path) -> dict[str, StoredTensor]:
    """All tensors of a folder. Of a single file and an index, the single file counts, as in transformers."""
    if os.path.lexists(folder / SINGLE):
        return open_tensors(folder / SINGLE)[0]
    if os.path.lexists(folder / INDEX):
        return read_sharded(folder / INDEX)
    raise ModelError(_("{folder} has no {file}", folder=shown(folder), file=SINGLE) + instead(folder))


def read_sharded(index: Path) -> dict[str, StoredTensor]:
    """The tensors of all files that an index names; what the index says and what the files hold must agree."""
    data = read_json(index, LARGEST, MOST_TENSORS)
    places = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(places, dict) or not places or not all(isinstance(file, str) for file in places.values()):
        raise ModelError(_("{index} has no weight_map from tensors to files", index=shown(index)))
    files = sorted(set(places.values()))
    for file in files:  # an index may come from anyone: it names files of this folder, nothing else
        if ELSEWHERE.search(file):
            raise ModelError(
                _(
                    "{index} names {file}, which is not the name of a file in its folder",
                    index=shown(index),
                    file=shown(repr(file), 80),
                )
            )
    there = {*os.listdir(index.parent)}
    missing = [file for file in files if file not in there]
    if missing:
        raise ModelError(
            _(
                "{parent} lacks {count} of {files} files: {names}",
                parent=shown(index.parent),
                count=len(missing),
                files=len(files),
                names=some(missing),
            )
        )
    tensors: dict[str, StoredTensor] = {}
    problems: list[Problem] = []
    promised: dict[str, list[str]] = {file: [] for file in files}
    for name, file in places.items():
        promised[file].append(name)
    for file, names in promised.items():
        held = open_tensors(index.parent / file)[0]
        problems += [partial(_not_promised, name, file, places.get(name)) for name in held if places.get(name) != file]
        problems += [partial(_not_held, name, file) for name in names if name not in held]
        tensors |= {name: held[name] for name in names if name in held}
    if problems:
        raise ModelError(
            _("{index} and its files don't agree: {problems}", index=shown(index), problems=together(problems))
        )
    return tensors


def _not_promised(name: str, file: str, place: str | None) -> str:
    text = _("{name} is in {file}, but the index does not list it")
    if place:
        text = _("{name} is in {file}, but the index says {place}")
    return text.format(name=shown(name, 80), file=shown(file, 80), place=shown(place, 80))


def _not_held(name: str, file: str) -> str:
    return _("{name} is not in {file}", name=shown(name, 80), file=shown(file, 80))


def instead(folder: Path) -> str:
    """What a folder without `model.safetensors` has instead, by looking into its files: the end of a sentence."""
    for path in sorted(folder.iterdir())[:LOOKED_AT]:
        if not path.is_file() or path.suffix in {".json", ".txt", ".md", ".py"}:
            continue
        if path.suffix == ".safetensors":
            return _(", but {file}: give that file, or rename it to {name}", file=shown(path.name, 80), name=SINGLE)
        try:
            with open_regular(path) as file:
                kind = kind_of_file(file)
        except (ModelError, OSError):
            continue
        if kind and kind.instead:
            return _(kind.instead, file=shown(path.name, 80), what=_(kind.what))
    return _(" (nor {file})", file=INDEX)
