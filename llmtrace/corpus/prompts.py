"""The prompts of a corpus: a file with a line of JSON for each, or anything that can be iterated over."""

from __future__ import annotations

import hashlib
import operator
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

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
    named: bool = True
    """Whether the id is its own; else it is made of the number."""

    @property
    def digest(self) -> str:
        """SHA-256 of the text in UTF-8, or of the ids as they are written, with spaces between them, behind a byte 0xFF, which no
        text has; "" without a prompt.
        """
        if self.prompt is None:
            return ""
        if isinstance(self.prompt, str):
            return hashlib.sha256(self.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        return hashlib.sha256(b"\xff" + " ".join(map(str, self.prompt)).encode()).hexdigest()


def items(prompts: str | os.PathLike[str] | Iterable[Any]) -> list[Item]:
    """All prompts in order. An id that comes again is refused where it does; a prompt without one takes none from another."""
    found = list(_read(Path(prompts)) if isinstance(prompts, str | os.PathLike) else _given(prompts))
    taken = {item.id for item in found if item.named}
    first: dict[str, int] = {}
    for place, item in enumerate(found):
        if not item.named:
            found[place] = replace(item, id=_free(item.id, taken))
        elif first.setdefault(item.id, place) != place:
            text = _("the id {id} is that of prompt {number} already")
            reason = text.format(id=cited(item.id), number=found[first[item.id]].number)
            found[place] = replace(item, prompt=None, reason=reason)
    return found


def _free(name: str, taken: set[str]) -> str:
    """A name for a prompt without one: its number, with # before it as long as another prompt is called so."""
    while name in taken:
        name = f"#{name}"
    return name


def _given(prompts: Iterable[Any]) -> Iterator[Item]:
    if not isinstance(prompts, Iterable) or isinstance(prompts, Mapping | bytes):
        text = _("the prompts of a corpus are the path of a file, or several prompts, not {what}")
        raise CorpusError(text.format(what=cited(prompts)))
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
        return Item(number, str(number), None, _("this line is not valid JSON: {why}", why=error), named=False)


def _item(number: int, data: Any) -> Item:
    named = isinstance(data, Mapping) and "id" in data
    name = _name(data["id"]) if named else str(number)
    if name is None:
        return Item(number, str(number), None, _("its id is neither a text nor a whole number"), named=False)
    prompt, wrong = _prompt(data)
    return Item(number, name, prompt, wrong if prompt is None else "", named)


def _name(own: Any) -> str | None:
    """An id as a text; None where it is none, or has half a character."""
    try:
        name = str(own if isinstance(own, str) else _whole(own))
    except TypeError:
        return None
    return name if name.encode("utf-8", "ignore") == name.encode("utf-8", "replace") else None


def _prompt(data: Any) -> tuple[str | tuple[int, ...] | None, str]:
    """A text or ids, and what is wrong where it is neither."""
    if not isinstance(data, Mapping):
        return _text(data) if isinstance(data, str) else _ids(data), _(
            "it is neither a text nor a list of the ids of tokens"
        )
    if ("text" in data) == ("ids" in data):
        return None, _('give it a "text", or "ids" of tokens, and not both')
    if "text" in data:
        return _text(data["text"]), _("its text is no text")
    return _ids(data["ids"]), _("its ids are not a list of whole numbers")


def _text(given: Any) -> str | None:
    return str(given) if isinstance(given, str) else None


def _ids(given: Any) -> tuple[int, ...] | None:
    """Whole numbers as Python's own, from whatever a model takes: a list, a range, an array; None where it is anything else."""
    row = given if isinstance(given, Sequence) and not isinstance(given, str | bytes) else np.asarray(given)
    try:
        return tuple(map(_whole, row))
    except TypeError:  # of an array without axes, too, which is what any other thing becomes
        return None


def _whole(number: Any) -> int:
    """A whole number as Python's own; TypeError for anything else, and for true and false."""
    if isinstance(number, bool | np.bool_):
        raise TypeError
    return operator.index(number)
