"""The added tokens of a tokenizer.json: what is found in a text before anything else is done with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeGuard

from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.tokenizers.json_format.fields import field, quote

LARGEST_ID = 2**31 - 2
FLAGS = ("single_word", "lstrip", "rstrip")
"""Flags that change where a token is found, or what it swallows; none is supported."""


@frozen
class AddedToken:
    """A token that is found in a text as it stands."""

    text: str
    id: int
    special: bool
    normalized: bool
    """Whether `tokenizers` finds it only in what the tokens without this flag leave."""


def is_id(value: Any) -> TypeGuard[int]:
    """Whether a value can be the id of a token."""
    return type(value) is int and 0 <= value <= LARGEST_ID


def read_added(entries: Any, vocabulary: Mapping[str, int]) -> list[AddedToken]:
    """The entries of `added_tokens`; ModelError for what is broken, not supported, or would get another id."""
    found: dict[str, AddedToken] = {}
    for entry in [] if entries is None else entries if isinstance(entries, list) else [entries]:
        token = added_token(entry)
        if token.text in found:
            raise ModelError(_("the added token {text} is there twice", text=quote(token.text)))
        found[token.text] = token
    for token, index in zip(found.values(), given_ids(found, vocabulary), strict=True):
        if token.id != index:
            raise ModelError(
                _(
                    "the added token {text} has the id {index}, but {other} by the vocabulary and the tokens before it",
                    text=quote(token.text),
                    index=token.id,
                    other=index,
                )
            )
    _expect_one_search(found.values())
    return list(found.values())


def _expect_one_search(tokens: Collection[AddedToken]) -> None:
    """ModelError where it matters that those that are normalized are looked for after the others."""
    first, second = ([token.text for token in tokens if token.normalized is kind] for kind in (False, True))
    for one, other in ((first, second), (second, first)):
        starts = {text[:end]: text for text in one for end in range(1, len(text) + 1)}
        for text in other:
            ends = [text[start:] for start in range(len(text))]
            near = next((starts[end] for end in ends if end in starts), None)
            if near is None and one is first:
                near = next((each for each in one if text in each), None)
            if near is not None:
                raise ModelError(
                    _(
                        "the added tokens {one} and {other} can overlap, and only one of them is normalized, which is not"
                        " supported",
                        one=quote(near),
                        other=quote(text),
                    )
                )


def added_token(entry: Any) -> AddedToken:
    """One entry: the text, its id, and what it swallows beside it."""
    text, index = (entry.get("content"), entry.get("id")) if isinstance(entry, Mapping) else (None, None)
    if not isinstance(text, str) or not text or not is_id(index):
        raise ModelError(_("the added token {entry} needs a content and an id", entry=quote(entry)))
    for flag in FLAGS:
        if field(entry, flag, bool, False):
            raise ModelError(_("{flag} of the added token {text} is not supported", text=quote(text), flag=flag))
    special = field(entry, "special", bool, False)
    return AddedToken(text, index, special, field(entry, "normalized", bool, not special))


def expect_raw(tokens: Iterable[AddedToken], normalizer: Any) -> None:
    """ModelError where a normalizer changes the text in which a token is found."""
    changed = next((token.text for token in tokens if token.normalized), None)
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
