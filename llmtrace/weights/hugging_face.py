"""Models as Hugging Face stores them: a folder with config.json, model.safetensors (or shards), a tokenizer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.models.beginning import beginning_of
from llmtrace.storage.files import read_json, read_text
from llmtrace.storage.stored import open_tensors
from llmtrace.text import cited, shown
from llmtrace.tokenizers import load_tokenizer
from llmtrace.tokenizers.beside import CONFIG as TOKENIZER_CONFIG
from llmtrace.weights.config import read_content, written
from llmtrace.weights.shards import INDEX, SINGLE, instead, read_folder_tensors
from llmtrace.weights.source import Opened, Source

CONFIG, GENERATION, ADAPTER_CONFIG = "config.json", "generation_config.json", "adapter_config.json"
CHAT, LARGEST_TEMPLATE = "chat_template.jinja", 1 << 20
BESIDE_THE_WEIGHTS = frozenset(
    {
        "PROMPT_TUNING",
        "MULTITASK_PROMPT_TUNING",
        "P_TUNING",
        "PREFIX_TUNING",
        "ADAPTION_PROMPT",
        "CPT",
        "CARTRIDGE",
    }
)
"""Kinds of adapters that add something to every run; the others change weights."""


class HuggingFace(Source):
    """A folder, or a .safetensors file with config.json beside it."""

    def accepts(self, path: Path) -> bool:
        """By the file of its settings. A file of weights is recognised by no other source, which leads here, too."""
        return os.path.lexists(path / CONFIG)

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
        must_not_be_adapter(folder, file)
        if not file and not os.path.lexists(folder / CONFIG):
            raise ModelError(_("{folder} has no {config}", folder=shown(folder), config=CONFIG) + _elsewhere(folder))
        tensors = open_tensors(file)[0] if file else read_folder_tensors(folder)
        config, tokenizer = read_content(folder / CONFIG), load_tokenizer(folder)
        return Opened(
            folder.resolve().name,
            config,
            shown(folder / CONFIG),
            tensors,
            tokenizer,
            read_ends(folder, config),
            read_beginning(folder, config, tokenizer),
            read_chat_template(folder),
        )

    def tokenizer(self, path: Path) -> Any:
        """The one in a folder, which need hold nothing else."""
        return load_tokenizer(path)


def read_ends(folder: Path, config: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The tokens that end a text: a number or a list, in generation_config.json, or else in config.json."""
    path = folder / GENERATION
    generation = read_content(path) if os.path.lexists(path) else {}
    for place, data in ((path, generation), (folder / CONFIG, config)):
        ends = data.get("eos_token_id")
        if ends is None:
            continue
        found = ends if isinstance(ends, list) else [ends]
        if not all(type(index) is int and index >= 0 for index in found):
            raise ModelError(
                _(
                    "{path}: eos_token_id must be the id of a token, or a list of such, not {found}",
                    path=shown(place),
                    found=written(ends),
                )
            )
        return tuple(found)
    return None


def read_beginning(folder: Path, config: Mapping[str, Any], tokenizer: Any) -> int | None:
    """The token with which texts begin, which config.json names, or where it says nothing of it, one that is usual."""
    if "bos_token_id" not in config:
        return beginning_of(tokenizer)
    found = config["bos_token_id"]
    if found is not None and (type(found) is not int or found < 0):
        text = _("{path}: bos_token_id must be the id of a token, not {found}")
        raise ModelError(text.format(path=shown(folder / CONFIG), found=written(found)))
    return found


def read_chat_template(folder: Path) -> str | None:
    """The template for chats: a file of its own, or what tokenizer_config.json says; of several, the one named default."""
    if os.path.lexists(folder / CHAT):
        return read_text(folder / CHAT, LARGEST_TEMPLATE)
    if not os.path.lexists(folder / TOKENIZER_CONFIG):
        return None
    data = read_json(folder / TOKENIZER_CONFIG)
    found = data.get("chat_template") if isinstance(data, dict) else None
    for entry in found if isinstance(found, list) else []:
        if isinstance(entry, dict) and entry.get("name") == "default":
            found = entry.get("template")
    return found if isinstance(found, str) else None


def must_not_be_adapter(folder: Path, file: Path | None) -> None:
    """ModelError where there is only what changes another model, which adapter_config.json names."""
    path = folder / ADAPTER_CONFIG
    there = file is not None and file.name.startswith("adapter_model")
    if not os.path.lexists(path) or not (there or not any(os.path.lexists(folder / name) for name in (SINGLE, INDEX))):
        return
    config = read_content(path)
    kind, base = config.get("peft_type", "?"), config.get("base_model_name_or_path", "?")
    text = _(
        "{folder} holds an adapter ({kind}) for the model {base}, not a model: merge it into that model first (peft:"
        " merge_and_unload) and give the result"
    )
    if kind in BESIDE_THE_WEIGHTS:
        text = _(
            "{folder} holds an adapter ({kind}) for the model {base}, not a model: one that is not merged into weights, so"
            " it can't be used here"
        )
    raise ModelError(text.format(folder=shown(file or folder), kind=shown(kind, 80), base=cited(base)))


def _elsewhere(folder: Path) -> str:
    """What a folder without config.json has further down, as the hub's cache and a training's output do, or instead."""
    found = sorted(path.parent for pattern in ("*", "snapshots/*") for path in folder.glob(f"{pattern}/{CONFIG}"))
    if found:
        return _("; did you mean {folder}?", folder=shown(found[0]))
    if not any(os.path.lexists(folder / name) for name in (SINGLE, INDEX)):
        return _(" and no {file}", file=SINGLE) + instead(folder)
    return _("; it says what sizes the model has, and comes with the weights")
