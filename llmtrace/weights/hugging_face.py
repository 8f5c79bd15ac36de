"""Models as Hugging Face stores them: a folder with config.json, model.safetensors (or shards), a tokenizer."""

from __future__ import annotations

import os
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.stored import open_tensors
from llmtrace.text import cited, shown
from llmtrace.tokenizers import load_tokenizer
from llmtrace.weights.config import read_content
from llmtrace.weights.shards import INDEX, SINGLE, instead, read_folder_tensors
from llmtrace.weights.source import Opened, Source

CONFIG = "config.json"


class HuggingFace(Source):
    """A folder, or a .safetensors file with config.json beside it."""

    order = 9

    def accepts(self, path: Path) -> bool:
        """Whatever nothing else accepts: it has the best errors."""
        return True

    def open(self, path: Path) -> Opened:
        """float32 weights stay in the file, mapped into memory."""
        file = path if path.is_file() else None
        folder = path.parent if file else path
        if not folder.is_dir():
            raise ModelError(
                _(
                    "there is no model folder {path}; give a folder with {config} and {weights}",
                    path=cited(path, 200),
                    config=CONFIG,
                    weights=SINGLE,
                )
            )
        if not file and not os.path.lexists(folder / CONFIG):
            raise ModelError(_("{folder} has no {config}", folder=shown(folder), config=CONFIG) + _elsewhere(folder))
        tensors = open_tensors(file)[0] if file else read_folder_tensors(folder)
        config = read_content(folder / CONFIG)
        return Opened(folder.resolve().name, config, shown(folder / CONFIG), tensors, load_tokenizer(folder))


def _elsewhere(folder: Path) -> str:
    """What a folder without config.json has further down, as the hub's cache and a training's output do, or instead."""
    found = sorted(path.parent for pattern in ("*", "snapshots/*") for path in folder.glob(f"{pattern}/{CONFIG}"))
    if found:
        return _("; did you mean {folder}?", folder=shown(found[0]))
    if not any(os.path.lexists(folder / name) for name in (SINGLE, INDEX)):
        return _(" and no {file}", file=SINGLE) + instead(folder)
    return _("; it says what sizes the model has, and comes with the weights")
