"""The added tokens of a tokenizer.json: what is found in a text before anything else is done with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeGuard

from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.tokenizers.json_format.fields import field, quote
from llmtrace.tokenizers.special_tokens import Flags

LARGEST_ID = 2**31 - 2
MOST_ADDED = 1 << 15
"""Models that write sounds as tokens add up to 29,000 of them, others hundreds."""
FLAGS = ("single_word", "lstrip", "rstrip", "normalized")
"""What changes where a token is found, and what it takes of the text beside it."""


@frozen
class AddedToken:
    """A token that is found in a text as it stands."""

    text: str
    id: int
    special: bool
    flags: frozenset[str]
    """Those of `FLAGS` that it has."""


def is_id(value: Any) -> TypeGuard[int]:
    """Whether a value can be the id of a token."""
    return type(value) is int and 0 <= value <= LARGEST_ID


def must_be_id(text: str, value: Any) -> None:
    """ModelError where a value can't be the id of a token."""
    if not is_id(value):
        told = _("the id of the token {text} is {index}, not a whole number from 0 to {largest:,}")
        raise ModelError(told.format(text=quote(text), index=quote(value), largest=LARGEST_ID))


def must_get(token: AddedToken, index: int) -> None:
    """ModelError where an added token gets another id than its own."""
    if token.id != index:
        told = _("the added token {text} has the id {index}, but {other} by the vocabulary and the tokens before it")
        raise ModelError(told.format(text=quote(token.text), index=token.id, other=index))


def expect_few(count: int) -> None:
    """ModelError for more added or special tokens than any model has: each is looked for in every text."""
    if count > MOST_ADDED:
        text = _("{count:,} special or added tokens are too many: at most {most:,} are supported")
        raise ModelError(text.format(count=count, most=MOST_ADDED))


def read_added(entries: Any, vocabulary: Mapping[str, int]) -> list[AddedToken]:
    """The entries of `added_tokens`; ModelError for what is broken, or would get another id."""
    found: dict[str, AddedToken] = {}
    entries = [] if entries is None else entries if isinstance(entries, list) else [entries]
    expect_few(len(entries))
    for entry in entries:
        token = added_token(entry)
        if token.text in found:
            raise ModelError(_("the added token {text} is there twice", text=quote(token.text)))
        found[token.text] = token
    for token, index in zip(found.values(), given_ids(found, vocabulary), strict=True):
        must_get(token, index)
    return list(found.values())


def divided(tokens: Collection[AddedToken]) -> tuple[dict[str, int], dict[str, int], Flags]:
    """Those that are found in every text, the special ones, and the flags of both."""
    ordinary = {token.text: token.id for token in tokens if not token.special}
    special = {token.text: token.id for token in tokens if token.special}
    return ordinary, special, {token.text: token.flags for token in tokens if token.flags}


def added_token(entry: Any) -> AddedToken:
    """One entry."""
    text, index = (entry.get("content"), entry.get("id")) if isinstance(entry, Mapping) else (None, None)
    if not isinstance(text, str) or not text or index is None:
        raise ModelError(_("the added token {entry} needs a content and an id", entry=quote(entry)))
    must_be_id(text, index)
    special = field(entry, "special", bool, False)
    absent = {"normalized": not special}
    flags = frozenset(flag for flag in FLAGS if field(entry, flag, bool, absent.get(flag, False)))
    return AddedToken(text, index, special, flags)


def expect_raw(tokens: Iterable[AddedToken], normalizer: Any) -> None:
    """ModelError where a normalizer changes the text in which a token is found."""
    changed = next((token.text for token in tokens if "normalized" in token.flags), None)
    if changed is not None and normalizer:
        text = _("the added token {text} is normalized, which is not supported with this normalizer")
        raise ModelError(text.format(text=quote(changed)))


def given_ids(texts: Iterable[str], vocabulary: Mapping[str, int]) -> list[int]:
    """The ids that `tokenizers` gives to added tokens, whatever the file says: those of the vocabulary, or the next."""
    ids: list[int] = []
    largest = -1
    for text in texts:
        ids.append(vocabulary.get(text, max(largest + 1, len(vocabulary))))
        largest = max(largest, ids[-1])
    return ids
