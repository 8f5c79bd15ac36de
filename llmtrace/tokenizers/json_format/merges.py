"""The vocabulary and the merges of a BPE in tokenizer.json."""

from __future__ import annotations

from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.json_format.added import must_be_id
from llmtrace.tokenizers.json_format.fields import quote


def read_vocabulary(vocabulary: Any) -> dict[str, int]:
    """The vocabulary of a file, checked: texts with different ids."""
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise ModelError(_("it has no vocabulary: a dictionary of tokens and their numbers is needed"))
    for text, index in vocabulary.items():
        must_be_id(text, index)
    return vocabulary


def read_merges(merges: Any, most: int) -> list[tuple[str, str]]:
    """Merges, each "a b" or ["a", "b"]; most: how many characters the vocabulary has, for each merge parts a token at one."""
    if not isinstance(merges, list):
        raise ModelError(_("it has no list of merges"))
    if len(merges) > most:
        raise ModelError(_("it has {count} merges, more than its vocabulary can have", count=len(merges)))
    pairs: list[tuple[str, str]] = []
    for merge in merges:
        pair = merge.split(" ") if type(merge) is str else merge
        if type(pair) is not list or len(pair) != 2 or not (pair[0] and pair[1]) or {*map(type, pair)} != {str}:
            raise ModelError(_("merge {rank} is {merge}, not two symbols", rank=len(pairs), merge=quote(merge)))
        pairs.append((pair[0], pair[1]))
    return pairs
