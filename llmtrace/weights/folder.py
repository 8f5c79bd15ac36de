"""Models on disk: loaded from any source, of any family, and saved as folders."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.models import LanguageModel, Model
from llmtrace.models.writing import ends_of
from llmtrace.storage.files import reason
from llmtrace.storage.store import replacing_files_of, save
from llmtrace.storage.stored import narrowed
from llmtrace.text import shown
from llmtrace.weights.families import FAMILIES, family_of, read_settings
from llmtrace.weights.hugging_face import CONFIG
from llmtrace.weights.shards import SINGLE
from llmtrace.weights.sources import source_of

__all__ = ["load_folder", "save_folder"]


def load_folder(path: Path | str) -> Model:
    """The model at a path, of any source and family; ModelError says what is wrong.

    All weights are looked through once for NaN and infinity.
    """
    path = Path(path)
    try:
        opened = source_of(path).open(path)
        family, config, tied = read_settings(opened.config, opened.config_place)
        notes: list[str] = []
        weights = family.weights(config, opened.tensors, shown(path), tied, notes)
    except (OSError, MemoryError) as error:
        raise ModelError(_("{path} can't be read: {why}", path=shown(path), why=reason(error))) from error
    tokenizer = opened.tokenizer
    if tokenizer is not None and len(tokenizer) > config.vocabulary:
        notes.append(
            _(
                "the tokenizer has {count} tokens, but the model only {limit}: a text with one of the others is refused",
                count=len(tokenizer),
                limit=config.vocabulary,
            )
        )
    model = family.build(config, weights, tokenizer, opened.name)
    model.notes = tuple(f"{shown(opened.name, 80)}: {note}" for note in notes)
    if isinstance(model, LanguageModel):
        model.ends, model.chat_template = opened.ends, opened.chat_template
        if opened.begin is not None and opened.begin < config.vocabulary:
            model.begin = opened.begin
    return model


def save_folder(model: Model, folder: Path | str) -> None:
    """Writes a model so that `llmtrace.load` and transformers read it: the same bits again.

    A new folder appears at once; in an old one, files are replaced one by one and others are left alone.
    """
    folder = Path(os.path.abspath(folder))
    family = family_of(model)
    if family is None:
        titles = listed(each.title for each in FAMILIES.values())
        raise ModelError(
            _("only a {families} can be saved as a folder, not {kind}", families=titles, kind=type(model).__name__)
        )
    try:
        tensors = family.tensors(model.config, model.weights)
    except KeyError as error:
        text = _("the model has no {name}, which a {family}'s folder needs", name=error, family=family.title)
        raise ModelError(text) from error
    for name, array in tensors.items():
        try:
            tensors[name] = narrowed(array) if array.dtype == np.float64 else array
        except ValueError:
            raise ModelError(
                _("{name} holds float64 numbers that float32 can't hold, and a folder holds float32", name=name)
            ) from None
    content = family.write_config(model.config, family.is_tied(model.weights))
    ends = model.ends or ends_of(model.tokenizer) if isinstance(model, LanguageModel) else ()
    if ends:
        content["eos_token_id"] = ends[0] if len(ends) == 1 else list(ends)
    if isinstance(model, LanguageModel) and model.begin is not None:
        content["bos_token_id"] = model.begin
    config = json.dumps(content, indent=2)
    with replacing_files_of(folder) as temporary:
        save(tensors, temporary / SINGLE, {"format": "pt"})
        (temporary / CONFIG).write_text(config + "\n", encoding="utf-8")
        tokenizer: Any = getattr(model, "tokenizer", None)
        if hasattr(tokenizer, "save"):
            tokenizer.save(temporary)
