"""What files beside tokenizer.json or vocab.json say: special_tokens_map.json, added_tokens.json, tokenizer_config.json."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import read_json
from llmtrace.text import shown
from llmtrace.tokenizers.json_format.added import added_token, expect_few, given_ids, must_get
from llmtrace.tokenizers.json_format.fields import field, not_supported, quote

MAP, ADDED, CONFIG = "special_tokens_map.json", "added_tokens.json", "tokenizer_config.json"
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
LISTS = ("additional_special_tokens", "extra_special_tokens")
"""What special tokens are called there, in the order in which new ones get their ids."""


class BesideError(ModelError):
    """What one of these files says can't be used; the error names the file."""


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
        with self._about(CONFIG):
            return field(self.config, name, bool, default)

    def must_not_set(self, name: str) -> None:
        """ModelError for a setting that is not supported."""
        if self.config.get(name):
            with self._about(CONFIG):
                raise not_supported(name, self.config[name])

    @contextmanager
    def _about(self, name: str) -> Iterator[None]:
        """Errors name the file of this name."""
        try:
            yield
        except ModelError as error:
            text = _("{path} can't be used: {error}")
            raise BesideError(text.format(path=shown(self._folder / name), error=error)) from error

    def _named(self) -> Iterator[tuple[str, Any]]:
        """The special tokens that are named, as texts or as objects with `content`, each after the name of its file; some may
        be named twice.
        """
        files = ((MAP, self.map), (CONFIG, self.config))
        for name in NAMES:
            yield from ((file, data[name]) for file, data in files if data.get(name) is not None)
        for name in LISTS:
            for file, data in files:
                tokens = data.get(name) or []
                tokens = [*tokens.values()] if isinstance(tokens, dict) else tokens
                yield from ((file, token) for token in (tokens if isinstance(tokens, list) else [tokens]))

    def with_added(self, entries: Any, vocabulary: Mapping[str, int], default: str = "") -> Any:
        """The `added_tokens` of a tokenizer.json, and behind them what these files add.

        default: the special token that there is even if no file names it, where they name any.
        """
        entries = list(entries) if isinstance(entries, list) else [] if entries is None else [entries]
        if not all(isinstance(entry, Mapping) and isinstance(entry.get("content"), str) for entry in entries):
            return entries  # which are refused where they are read
        with self._about(ADDED):
            expect_few(len(self.added))
        said = [*self._named()]
        expect_few(len(said))
        named = [(file, self._entry(file, token)) for file, token in said]
        special = {entry["content"] for _file, entry in named}
        stated = self.config.get("added_tokens_decoder") or {}
        if not isinstance(stated, dict):
            stated = {"": stated}
        with self._about(CONFIG):
            expect_few(len(stated))
        more = [(CONFIG, self._entry(CONFIG, token, id=_number(index))) for index, token in stated.items()]
        for text, index in self.added.items():
            more.append((ADDED, self._entry(ADDED, text, id=index, special=text in special)))
        more.sort(key=lambda each: each[1]["id"])
        names = [(MAP, {"content": default, "special": True})] if default and named else []
        files = dict.fromkeys(entry["content"] for entry in entries)
        for file, entry in [*more, *names, *named]:
            if entry["content"] not in files:
                files[entry["content"]] = file
                entries.append(entry)
        return self._numbered(entries, files, vocabulary)

    def _entry(self, file: str, token: Any, **more: Any) -> dict[str, Any]:
        """A token of one of the files as an entry of `added_tokens`, without its id unless there is `more` to say of it."""
        with self._about(file):
            entry = {**_plain(token), **more}
            added_token({"id": 0, **entry})
            return entry

    def _numbered(
        self, entries: list[Any], files: Mapping[str, str | None], vocabulary: Mapping[str, int]
    ) -> list[Any]:
        """The entries, those without an id with the next ones; ModelError where one of the files says another id."""
        ids = given_ids([entry["content"] for entry in entries], vocabulary)
        numbered = [{"id": index, **entry} for entry, index in zip(entries, ids, strict=True)]
        for entry, index in zip(numbered, ids, strict=True):
            file = files[entry["content"]]
            if file is not None:
                with self._about(file):
                    must_get(added_token(entry), index)
        return numbered


def _plain(token: Any) -> dict[str, Any]:
    """A token as an entry of `added_tokens` without its id."""
    if isinstance(token, Mapping) and isinstance(token.get("content"), str):
        return {"special": True, **{name: value for name, value in token.items() if name != "id"}}
    if isinstance(token, str) and token:
        return {"content": token, "special": True, "normalized": False}
    raise ModelError(_("a special token is {token}, not a text", token=quote(token)))


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else text
