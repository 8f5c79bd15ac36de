"""Reading tokenizer.json, the one file of the `tokenizers` library: what of it is understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.json_format.write import SCHEMES, decoder_json
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.unigram import UnigramTokenizer

LARGEST = 1e300
"""No score of a unigram tokenizer is so far from 0."""

# Settings of a BPE that change what it does, and the values with which it does what we do.
PLAIN: dict[str, tuple[Any, ...]] = {
    "dropout": (None, 0, 0.0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "byte_fallback": (None, False),
}


def read_tokenizer_json(data: Any) -> ByteLevelBPE | CharacterTokenizer | UnigramTokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    model = _model(data)
    if data.get("normalizer") and data["normalizer"] != {"type": "Sequence", "normalizers": []}:
        raise ModelError(_("the normalizer {kind!r} is not supported", kind=_kind(data["normalizer"])))
    if model.get("type") == "Unigram":
        return read_unigram(data, model)
    vocabulary, merges = read_vocabulary(model.get("vocab")), read_merges(model.get("merges"))
    added, special = read_added(data.get("added_tokens") or [], vocabulary)
    if _mentions(data.get("pre_tokenizer"), "ByteLevel") or _mentions(data.get("decoder"), "ByteLevel"):
        rule = data.get("pre_tokenizer")
        splitter = Splitter(rule if rule is not None else {"type": "Sequence", "pretokenizers": []})
        return ByteLevelBPE(vocabulary, merges, splitter, added, special, bool(model.get("ignore_merges", False)))
    if merges or any(len(text) != 1 for text in vocabulary):
        raise ModelError(_("its merges do not work on bytes (there is no ByteLevel in it), which is not supported"))
    if data.get("pre_tokenizer") or any(index >= len(vocabulary) for index in {**added, **special}.values()):
        raise ModelError(_("a tokenizer of single characters with a pre_tokenizer or added tokens is not supported"))
    return CharacterTokenizer(vocabulary)


def _model(data: Any) -> dict[str, Any]:
    model = data.get("model") if isinstance(data, dict) else None
    if not isinstance(model, dict):
        raise ModelError(_("there is no model in it"))
    kind = model.get("type", "BPE" if "merges" in model else None)
    if kind not in {"BPE", "Unigram"}:
        raise ModelError(_("it holds a tokenizer of type {kind!r}; only 'BPE' and 'Unigram' are supported", kind=kind))
    for name, plain in PLAIN.items():
        if kind == "BPE" and model.get(name) not in plain:
            raise ModelError(_("its setting {name} = {value!r} is not supported", name=name, value=model[name]))
    return model


def read_vocabulary(vocabulary: Any) -> dict[str, int]:
    """The vocabulary of a file, checked: texts with different whole numbers."""
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise ModelError(_("it has no vocabulary: a dictionary of tokens and their numbers is needed"))
    for text, index in vocabulary.items():
        if type(index) is not int or not 0 <= index < 2**31 - 1:
            raise ModelError(_("the id of the token {text!r} is {index!r}, not a whole number", text=text, index=index))
    return vocabulary


def read_merges(merges: Any) -> list[tuple[str, str]]:
    """Merges, each "a b" or ["a", "b"]."""
    if not isinstance(merges, list):
        raise ModelError(_("it has no list of merges"))
    pairs: list[tuple[str, str]] = []
    for merge in merges:
        pair = merge.split(" ") if isinstance(merge, str) else merge
        try:
            left, right = pair
            "".join(pair)
        except (TypeError, ValueError):
            left = right = ""
        if not left or not right:
            raise ModelError(_("merge {rank} is {merge!r}, not two symbols", rank=len(pairs), merge=merge))
        pairs.append((left, right))
    return pairs


def read_added(entries: Any, vocabulary: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Tokens that are found in every text, and special ones."""
    added: dict[str, int] = {}
    special: dict[str, int] = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        text, index = (entry.get("content"), entry.get("id")) if isinstance(entry, dict) else (None, None)
        if not isinstance(text, str) or not text or type(index) is not int or not 0 <= index < 2**31 - 1:
            raise ModelError(_("the added token {entry!r} needs a content and an id", entry=entry))
        if vocabulary.get(text, index) != index:
            raise ModelError(
                _(
                    "the added token {text!r} has the id {index}, but {other} in the vocabulary",
                    text=text,
                    index=index,
                    other=vocabulary[text],
                )
            )
        for flag in ("single_word", "lstrip", "rstrip"):
            if entry.get(flag):
                raise ModelError(_("{flag} of the added token {text!r} is not supported", text=text, flag=flag))
        (special if entry.get("special", False) else added)[text] = index
    return added, special


def _mentions(rule: Any, kind: str) -> bool:
    """Whether a pre_tokenizer or decoder is of that kind, or is a sequence with one."""
    if not isinstance(rule, dict):
        return False
    parts = rule.get("pretokenizers") or rule.get("decoders") or []
    return rule.get("type") == kind or (isinstance(parts, list) and any(_mentions(part, kind) for part in parts))


def _kind(rule: Any) -> Any:
    return rule.get("type") if isinstance(rule, dict) else rule


# ---- unigram --------------------------------------------------------------------------------------------------------


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
