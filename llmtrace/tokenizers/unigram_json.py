"""tokenizer.json of a unigram tokenizer: what of it is understood, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.tokenizers.tokenizer_json import added_json, read_added, whole_json
from llmtrace.tokenizers.unigram import UnigramTokenizer

SCHEMES = {"always": True, "never": False}
"""Whether a text that does not begin with a space gets one."""
LARGEST = 1e300
"""No score is so far from 0."""


def read_unigram(data: Mapping[str, Any], model: Mapping[str, Any]) -> UnigramTokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    entries = _entries(model.get("vocab"))
    unknown, in_bytes = model.get("unk_id"), bool(model.get("byte_fallback", False))
    if unknown is not None and (type(unknown) is not int or not 0 <= unknown < len(entries)):
        raise ModelError(_("its unk_id is {value!r}, which is no place in the vocabulary", value=unknown))
    adds_space, by_words = _metaspace(data.get("pre_tokenizer"))
    decoder = data.get("decoder")
    if decoder != decoder_json(in_bytes, adds_space) and (in_bytes or _metaspace(decoder)[0] != adds_space):
        raise ModelError(_("its decoder does not undo its pre_tokenizer, or is not supported"))
    added, special = read_added(data.get("added_tokens") or [], {text: n for n, (text, _score) in enumerate(entries)})
    return UnigramTokenizer(entries, unknown, in_bytes, adds_space, by_words, added, special)


def _entries(vocabulary: Any) -> list[tuple[str, float]]:
    entries: list[tuple[str, float]] = []
    for entry in vocabulary if isinstance(vocabulary, list) else [vocabulary]:
        pair: Any = entry if isinstance(entry, list) and len(entry) == 2 else ("", None)
        text, score = pair
        if not isinstance(text, str) or not text or type(score) not in {int, float} or not abs(score) < LARGEST:
            raise ModelError(
                _(
                    "entry {place} of the vocabulary is {entry!r}, not a text and its score",
                    place=len(entries),
                    entry=entry,
                )
            )
        entries.append((text, float(score)))
    return entries


def _metaspace(rule: Any) -> tuple[bool, bool]:
    """Whether a space is added in front, and whether words are parted one by one."""
    if not isinstance(rule, dict) or rule.get("type") != "Metaspace" or rule.get("replacement", SPACE) != SPACE:
        raise ModelError(_("a tokenizer of type 'Unigram' is only supported with Metaspace and {sign!r}", sign=SPACE))
    scheme = rule.get("prepend_scheme", "always" if rule.get("add_prefix_space", True) else "never")
    if scheme not in SCHEMES:
        raise ModelError(_("its setting {name} = {value!r} is not supported", name="prepend_scheme", value=scheme))
    return SCHEMES[scheme], bool(rule.get("split", True))


def decoder_json(in_bytes: bool, adds_space: bool) -> dict[str, Any]:
    """The decoder that undoes what `encode` does."""
    parts: list[dict[str, Any]] = [{"type": "Replace", "pattern": {"String": SPACE}, "content": " "}]
    parts += [{"type": "ByteFallback"}] if in_bytes else []
    parts += [{"type": "Fuse"}]
    parts += [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if adds_space else []
    return {"type": "Sequence", "decoders": parts}


def unigram_json(tokenizer: UnigramTokenizer) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of probabilities."""
    scheme = next(name for name, adds in SCHEMES.items() if adds == tokenizer.adds_space)
    splits = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": tokenizer.by_words}
    model = {
        "type": "Unigram",
        "unk_id": tokenizer.unknown,
        "vocab": [list(entry) for entry in tokenizer.entries],
        "byte_fallback": tokenizer.in_bytes,
    }
    return whole_json(added_json(tokenizer), splits, decoder_json(tokenizer.in_bytes, tokenizer.adds_space), model)
