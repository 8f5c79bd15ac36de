"""The prompts of a corpus: a file with a line of JSON for each, or anything that can be iterated over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmtrace.errors import CorpusError, ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.storage.files import open_regular, parse_json
from llmtrace.text import cited, shown

LONGEST = 16 << 20
"""So many bytes of one line are more than any prompt."""


@frozen
class Item:
    """A prompt with the name that its row in the index has."""

    number: int
    """Which one it is, from 1: in a file, its line."""
    id: str
    prompt: str | tuple[int, ...] | None = None
    """A text, or the ids of its tokens; None where there is neither."""
    reason: str = ""
    """Why it can't be run, where that can be seen without a model."""

    @property
    def digest(self) -> str:
        """SHA-256 of the text in UTF-8, or of the ids as they are written, with spaces between them; "" without a prompt."""
        if self.prompt is None:
            return ""
        text = self.prompt if isinstance(self.prompt, str) else " ".join(map(str, self.prompt))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def items(prompts: str | os.PathLike[str] | Iterable[Any]) -> list[Item]:
    """All prompts in order. An id that comes again is refused where it does; those without one have their number."""
    seen: dict[str, int] = {}
    found = []
    for item in _read(Path(prompts)) if isinstance(prompts, str | os.PathLike) else _given(prompts):
        if item.id in seen:
            text = _("the id {id} is that of prompt {number} already", id=cited(item.id), number=seen[item.id])
            item = replace(item, prompt=None, reason=text)
        seen.setdefault(item.id, item.number)
        found.append(item)
    return found


def _given(prompts: Iterable[Any]) -> Iterator[Item]:
    for number, prompt in enumerate(prompts, 1):
        yield prompt if isinstance(prompt, Item) else _item(number, prompt)


def _read(path: Path) -> Iterator[Item]:
    """A line of JSON for each: a text, a list of ids, or an object with `text` or `ids`, and `id` if it has a name."""
    try:
        yield from _lines(path)
    except ModelError as error:
        raise CorpusError(str(error)) from error


def _lines(path: Path) -> Iterator[Item]:
    with open_regular(path) as file:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                text = _("{path}: line {number} has more than {limit} MB")
                raise CorpusError(text.format(path=shown(path), number=number, limit=LONGEST >> 20))
            if line.strip():
                yield _line(number, line)


def _line(number: int, line: bytes) -> Item:
    try:
        return _item(number, parse_json(line))
    except ValueError as error:
        return Item(number, str(number), None, _("this line is not valid JSON: {why}", why=error))


def _item(number: int, data: Any) -> Item:
    name, prompt = str(number), data
    if isinstance(data, Mapping):
        own = data.get("id", name)
        if type(own) not in (str, int) or str(own).encode("utf-8", "ignore") != str(own).encode("utf-8", "replace"):
            return Item(number, name, None, _("its id is neither a text nor a whole number"))
        name, prompt = str(own), data.get("text", data.get("ids"))
        if prompt is None or ("text" in data and "ids" in data):
            return Item(number, name, None, _('give it a "text", or "ids" of tokens, and not both'))
    if isinstance(prompt, str):
        return Item(number, name, str(prompt))
    if not isinstance(prompt, list | tuple) or not all(type(each) is int for each in prompt):
        return Item(number, name, None, _("it is neither a text nor a list of the ids of tokens"))
    return Item(number, name, tuple(prompt))
