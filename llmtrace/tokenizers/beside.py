"""What files beside tokenizer.json or vocab.json say: special_tokens_map.json, added_tokens.json, tokenizer_config.json."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import read_json
from llmtrace.text import shown
from llmtrace.tokenizers.json_format.added import given_ids
from llmtrace.tokenizers.json_format.fields import quote

MAP, ADDED, CONFIG = "special_tokens_map.json", "added_tokens.json", "tokenizer_config.json"
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
LISTS = ("additional_special_tokens", "extra_special_tokens")
"""What special tokens are called there, in the order in which new ones get their ids."""


class Beside:
    """The three files; empty where there are none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.map, self.added, self.config = (self._read(name) for name in (MAP, ADDED, CONFIG))

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        data = read_json(path) if os.path.lexists(path) else {}
        if not isinstance(data, dict):
            raise ModelError(_("{path} is not a JSON object", path=shown(path)))
        return data

    def tokenizer_class(self) -> str:
        """The name of the class that the tokenizer is of, without `Fast`; "" where it is not said."""
        name = self.config.get("tokenizer_class")
        return name.removesuffix("Fast") if isinstance(name, str) else ""

    def setting(self, name: str, default: Any) -> Any:
        """A setting that is true or false."""
        value = self.config.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ModelError(
                _("{path} has {name} = {value}", path=shown(self._folder / CONFIG), name=name, value=quote(value))
            )
        return value

    def named(self) -> Iterator[Any]:
        """The special tokens that are named, as texts or as objects with `content`; some may be named twice."""
        for name in NAMES:
            for data in (self.map, self.config):
                if data.get(name) is not None:
                    yield data[name]
        for name in LISTS:
            for data in (self.map, self.config):
                tokens = data.get(name) or []
                yield from (
                    tokens.values() if isinstance(tokens, dict) else tokens if isinstance(tokens, list) else [tokens]
                )

    def with_added(self, entries: Any, vocabulary: Mapping[str, int], default: str = "") -> Any:
        """The `added_tokens` of a tokenizer.json, and behind them what these files add.

        default: the special token that there is even if no file names it, where they name any.
        """
        entries = list(entries) if isinstance(entries, list) else [] if entries is None else [entries]
        if not all(isinstance(entry, Mapping) and isinstance(entry.get("content"), str) for entry in entries):
            return entries  # which are refused where they are read
        known = {entry["content"] for entry in entries}
        named = [_entry(token) for token in self.named()]
        special = {entry["content"] for entry in named}
        stated = self.config.get("added_tokens_decoder") or {}
        if not isinstance(stated, dict):
            stated = {"": stated}
        more = [{**_entry(token), "id": _number(index)} for index, token in stated.items()]
        more += [
            {"id": index, "content": text, "special": text in special, "normalized": False}
            for text, index in self.added.items()
        ]
        more.sort(key=lambda entry: entry["id"] if type(entry["id"]) is int else -1)
        names = [{"content": default, "special": True}] if default and named else []
        for entry in [*more, *names, *named]:
            if entry["content"] not in known:
                known.add(entry["content"])
                entries.append(entry)
        return _numbered(entries, vocabulary)


def _numbered(entries: list[Any], vocabulary: Mapping[str, int]) -> list[Any]:
    """The entries, those without an id with the next ones."""
    ids = given_ids([entry["content"] for entry in entries], vocabulary)
    return [{"id": index, **entry} for entry, index in zip(entries, ids, strict=True)]


def _entry(token: Any) -> dict[str, Any]:
    """A token as an entry of `added_tokens` without its id."""
    if isinstance(token, Mapping) and isinstance(token.get("content"), str):
        return {"special": True, **{name: value for name, value in token.items() if name != "id"}}
    if isinstance(token, str) and token:
        return {"content": token, "special": True, "normalized": False}
    raise ModelError(_("a special token is {token}, not a text", token=quote(token)))


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else text
