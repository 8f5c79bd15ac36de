"""Reading a tokenizer.json of type Unigram, as SentencePiece's tokenizers become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.tokenizers.json_format.added import divided, read_added
from llmtrace.tokenizers.json_format.fields import field, quote, scheme_of
from llmtrace.tokenizers.json_format.write import SCHEMES, decoder_json
from llmtrace.tokenizers.unigram import UnigramTokenizer

LARGEST = 1e300
"""No score of a unigram tokenizer is so far from 0."""


def read_unigram(data: Mapping[str, Any], model: Mapping[str, Any]) -> UnigramTokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    entries = _entries(model.get("vocab"))
    unknown, in_bytes = model.get("unk_id"), field(model, "byte_fallback", bool, False)
    if unknown is not None and (type(unknown) is not int or not 0 <= unknown < len(entries)):
        raise ModelError(_("its unk_id is {value}, which is no place in the vocabulary", value=quote(unknown)))
    adds_space, by_words = _metaspace(data.get("pre_tokenizer"))
    decoder = data.get("decoder")
    if decoder != decoder_json(in_bytes, adds_space) and (in_bytes or _metaspace(decoder)[0] != adds_space):
        raise ModelError(_("its decoder does not undo its pre_tokenizer, or is not supported"))
    tokens = read_added(data.get("added_tokens"), {text: n for n, (text, _score) in enumerate(entries)})
    added, special, flags = divided(tokens)
    return UnigramTokenizer(entries, unknown, in_bytes, adds_space, by_words, added, special).flagged(flags)


def _entries(vocabulary: Any) -> list[tuple[str, float]]:
    entries: list[tuple[str, float]] = []
    for entry in vocabulary if isinstance(vocabulary, list) else [vocabulary]:
        pair: list[Any] = entry if isinstance(entry, list) and len(entry) == 2 else ["", None]
        text, score = pair
        if not isinstance(text, str) or not text or type(score) not in {int, float} or not abs(score) < LARGEST:
            raise ModelError(
                _(
                    "entry {place} of the vocabulary is {entry}, not a text and its score",
                    place=len(entries),
                    entry=quote(entry),
                )
            )
        entries.append((text, float(score)))
    return entries


def _metaspace(rule: Any) -> tuple[bool, bool]:
    """Whether a space is added in front, and whether words are parted one by one."""
    if not isinstance(rule, Mapping) or rule.get("type") != "Metaspace" or rule.get("replacement", SPACE) != SPACE:
        raise ModelError(
            _("a tokenizer of type 'Unigram' is only supported with Metaspace and {sign}", sign=quote(SPACE))
        )
    return scheme_of(rule, SCHEMES), field(rule, "split", bool, True)
