"""tokenizer.json, the one file of the `tokenizers` library: what of it is understood, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.replace import refuse, write_whole
from llmtrace.tokenizers.splitting import GPT2_SPLIT, Splitter

if TYPE_CHECKING:
    from llmtrace.tokenizers.bpe import ByteLevelBPE
    from llmtrace.tokenizers.characters import CharacterTokenizer
    from llmtrace.tokenizers.files import Tokenizer
    from llmtrace.tokenizers.unigram import UnigramTokenizer

# Settings of a BPE that change what it does, and the values with which it does what we do.
PLAIN: dict[str, tuple[Any, ...]] = {
    "dropout": (None, 0, 0.0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "byte_fallback": (None, False),
}


def read_tokenizer_json(data: Any) -> Tokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    from llmtrace.tokenizers.bpe import ByteLevelBPE
    from llmtrace.tokenizers.characters import CharacterTokenizer

    model = _model(data)
    if data.get("normalizer") and data["normalizer"] != {"type": "Sequence", "normalizers": []}:
        raise ModelError(_("the normalizer {kind!r} is not supported", kind=_kind(data["normalizer"])))
    if model.get("type") == "Unigram":
        from llmtrace.tokenizers.unigram_json import read_unigram

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


def whole_json(added: list[dict[str, Any]], splits: Any, decoder: Any, model: dict[str, Any]) -> dict[str, Any]:
    """The contents of tokenizer.json: its parts, and nothing in those that are not used here."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": splits,
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }


def _bpe_json(added: list[dict[str, Any]], splits: Any, decoder: Any, model: dict[str, Any]) -> dict[str, Any]:
    settings = {"dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
    model = {"type": "BPE", **settings, "fuse_unk": False, "byte_fallback": False, **model}
    return whole_json(added, splits, decoder, model)


def added_json(tokenizer: ByteLevelBPE | UnigramTokenizer) -> list[dict[str, Any]]:
    """The tokens that are found in a text before it is cut."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": index, "content": text, **flags, "special": text in tokenizer.special}
        for text, index in sorted({**tokenizer.added, **tokenizer.special}.items(), key=lambda entry: entry[1])
    ]


def byte_level_json(tokenizer: ByteLevelBPE) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of merges."""
    merges = [" ".join(pair) for pair in tokenizer.merges]
    model = {"ignore_merges": tokenizer.whole_pieces, "vocab": dict(tokenizer.vocabulary), "merges": merges}
    return _bpe_json(added_json(tokenizer), tokenizer.splitter.rule, GPT2_SPLIT, model)


def character_json(tokenizer: CharacterTokenizer) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of characters; Fuse joins them without spaces in decoding."""
    model = {"ignore_merges": False, "vocab": dict(tokenizer.vocabulary), "merges": []}
    return _bpe_json([], None, {"type": "Fuse"}, model)


def write_json(data: dict[str, Any], folder: Path) -> Path:
    """Writes tokenizer.json whole or not at all; ModelError says why it can't be."""
    path = folder / "tokenizer.json"
    try:
        content = json.dumps(data, ensure_ascii=False, indent=2).encode() + b"\n"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: half a character in a token
        refuse(path, error, ModelError)
    write_whole(path, [content])
    return path
