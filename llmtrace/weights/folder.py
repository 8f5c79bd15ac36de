"""Model folders in Hugging Face's layout of a GPT-2: config.json, model.safetensors (or shards), a tokenizer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.models import GPT
from llmtrace.models.model import Model
from llmtrace.storage.files import reason
from llmtrace.storage.store import replacing_files_of, save
from llmtrace.storage.stored import narrowed, open_tensors
from llmtrace.text import cited, shown
from llmtrace.tokenizers import load_tokenizer
from llmtrace.weights.config import config_json, read_config, read_settings
from llmtrace.weights.gpt import gpt_shapes, gpt_tensors, gpt_weights
from llmtrace.weights.shards import INDEX, SINGLE, instead, read_folder_tensors

__all__ = ["gpt_shapes", "gpt_weights", "load_folder", "read_config", "save_folder"]

CONFIG = "config.json"


def load_folder(path: Path | str) -> GPT:
    """The model in a folder, or in a .safetensors file with config.json beside it; ModelError says what is wrong.

    float32 weights stay in the file, mapped into memory. All are looked through once for NaN and infinity.
    """
    path = Path(path)
    file = path if path.is_file() else None
    folder = path.parent if file else path
    if not folder.is_dir():
        raise ModelError(
            _(
                "there is no model folder {path}; give a folder with {config} and {weights}",
                path=cited(path),
                config=CONFIG,
                weights=SINGLE,
            )
        )
    try:
        if not file and not os.path.lexists(folder / CONFIG):
            raise ModelError(_("{folder} has no {config}", folder=shown(folder), config=CONFIG) + _elsewhere(folder))
        stored = open_tensors(file)[0] if file else read_folder_tensors(folder)
        config, tied = read_settings(folder / CONFIG)
        weights = gpt_weights(config, stored, shown(path), tied=tied)
        tokenizer: Any = load_tokenizer(folder)
    except OSError as error:
        raise ModelError(_("{path} can't be read: {why}", path=shown(path), why=reason(error))) from error
    if tokenizer is not None and len(tokenizer) > config.vocabulary:
        raise ModelError(
            _(
                "{folder}: the tokenizer has {count} tokens, but the model only {limit}",
                folder=shown(folder),
                count=len(tokenizer),
                limit=config.vocabulary,
            )
        )
    return GPT(config, weights, tokenizer, folder.resolve().name)


def _elsewhere(folder: Path) -> str:
    """What a folder without config.json has further down, as the hub's cache and a training's output do, or instead."""
    found = sorted(path.parent for pattern in ("*", "snapshots/*") for path in folder.glob(f"{pattern}/{CONFIG}"))
    if found:
        return _("; did you mean {folder}?", folder=shown(found[0]))
    if not any(os.path.lexists(folder / name) for name in (SINGLE, INDEX)):
        return _(" and no {file}", file=SINGLE) + instead(folder)
    return _("; it says what sizes the model has, and comes with the weights")


def save_folder(model: Model, folder: Path | str) -> None:
    """Writes a GPT-2 so that `llmtrace.load` and transformers read it: the same bits again.

    A new folder appears at once; in an old one, files are replaced one by one and others are left alone.
    """
    folder = Path(os.path.abspath(folder))
    if not isinstance(model, GPT):
        raise ModelError(_("only a GPT-2 can be saved as a folder, not {kind}", kind=type(model).__name__))
    try:
        tensors = gpt_tensors(model.config, model.weights)
    except KeyError as error:
        raise ModelError(_("the model has no {name}, which a GPT-2's folder needs", name=error)) from error
    for name, array in tensors.items():
        try:
            tensors[name] = narrowed(array) if array.dtype == np.float64 else array
        except ValueError:
            raise ModelError(
                _("{name} holds float64 numbers that float32 can't hold, and a folder holds float32", name=name)
            ) from None
    tied = model.weights["logits.weight"] is model.weights["embed.token.weight"]
    config = json.dumps(config_json(model.config, tied), indent=2)
    with replacing_files_of(folder) as temporary:
        save(tensors, temporary / SINGLE, {"format": "pt"})
        (temporary / CONFIG).write_text(config + "\n", encoding="utf-8")
        tokenizer: Any = model.tokenizer
        if hasattr(tokenizer, "save"):
            tokenizer.save(temporary)
