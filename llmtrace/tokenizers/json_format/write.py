"""Writing tokenizer.json, the one file of the `tokenizers` library. The kinds of tokenizers call this; it knows none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.storage.replace import refuse, write_whole
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.tokenizers.json_format.added import FLAGS, given_ids
from llmtrace.tokenizers.json_format.framing import framing_json
from llmtrace.tokenizers.normal_forms import FORMS
from llmtrace.tokenizers.splitting import GPT2_SPLIT

WORDPIECE_DECODER = {"type": "WordPiece", "prefix": "##", "cleanup": True}
SCHEMES = {"always": True, "never": False}
"""Whether a text that does not begin with a space gets one."""


PREPEND = {"type": "Prepend", "prepend": SPACE}
NORMAL_FORMS = [{"type": form} for form in FORMS]
REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}


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


def added_json(tokenizer: Any) -> list[dict[str, Any]]:
    """The tokens that are found in a text before it is cut."""
    return [
        {
            "id": index,
            "content": text,
            **{flag: flag in tokenizer.flags.get(text, ()) for flag in FLAGS},
            "special": text in tokenizer.special,
        }
        for text, index in sorted({**tokenizer.added, **tokenizer.special}.items(), key=lambda entry: entry[1])
    ]


def framed(tokenizer: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The contents of tokenizer.json, with what is put around every text."""
    names = {index: text for text, index in {**tokenizer.special, **tokenizer.added}.items()}
    framing = tokenizer.framing
    names |= {index: tokenizer.token(index) for index in (*framing.before, *framing.after) if index not in names}
    return {**data, "post_processor": framing_json(framing, names)}


def byte_level_json(tokenizer: Any) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of merges."""
    added, vocabulary = added_json(tokenizer), dict(tokenizer.vocabulary)
    if [entry["id"] for entry in added] != given_ids([entry["content"] for entry in added], vocabulary):
        vocabulary.update((entry["content"], entry["id"]) for entry in added)  # no other ids are given to these
    merges = [" ".join(pair) for pair in tokenizer.merges]
    settings = {"unk_token": tokenizer.unknown, "ignore_merges": tokenizer.whole_pieces}
    model = {**settings, "vocab": vocabulary, "merges": merges}
    data = _bpe_json(added, tokenizer.splitter.rule, GPT2_SPLIT, model)
    forms = [{"type": form} for form in tokenizer.splitter.forms]
    normalizer = {"type": "Sequence", "normalizers": forms} if len(forms) > 1 else forms[0] if forms else None
    return framed(tokenizer, {**data, "normalizer": normalizer})


def merged_text_json(tokenizer: Any) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of merges of characters."""
    in_bytes, space = tokenizer.in_bytes, tokenizer.space
    settings = {"type": "BPE", "dropout": None, "unk_token": None, "fuse_unk": False, "ignore_merges": False}
    merges = [list(pair) for pair in tokenizer.pairs()]
    model = {**settings, "byte_fallback": in_bytes, "vocab": dict(tokenizer.vocabulary), "merges": merges}
    by_words = tokenizer.by_words
    scheme = {"unless there": "always", "first": "first", "": "never" if by_words else None}.get(space)
    rule = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": by_words} if scheme else None
    data = whole_json(added_json(tokenizer), rule, decoder_json(in_bytes, bool(space)), model)
    if not scheme:
        data["normalizer"] = {"type": "Sequence", "normalizers": [PREPEND, REPLACE] if space else [REPLACE]}
    return framed(tokenizer, data)


def character_json(tokenizer: Any) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of characters; Fuse joins them without spaces in decoding."""
    model = {"ignore_merges": False, "vocab": dict(tokenizer.vocabulary), "merges": []}
    return _bpe_json([], None, {"type": "Fuse"}, model)


def decoder_json(in_bytes: bool, adds_space: bool) -> dict[str, Any]:
    """The decoder that undoes what `encode` does."""
    parts: list[dict[str, Any]] = [{"type": "Replace", "pattern": {"String": SPACE}, "content": " "}]
    parts += [{"type": "ByteFallback"}] if in_bytes else []
    parts += [{"type": "Fuse"}]
    parts += [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if adds_space else []
    return {"type": "Sequence", "decoders": parts}


def unigram_json(tokenizer: Any) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of probabilities."""
    scheme = next(name for name, adds in SCHEMES.items() if adds == tokenizer.adds_space)
    splits = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": tokenizer.by_words}
    model = {
        "type": "Unigram",
        "unk_id": tokenizer.unknown,
        "vocab": [list(entry) for entry in tokenizer.entries],
        "byte_fallback": tokenizer.in_bytes,
    }
    data = whole_json(added_json(tokenizer), splits, decoder_json(tokenizer.in_bytes, tokenizer.adds_space), model)
    return framed(tokenizer, data)


def wordpiece_json(tokenizer: Any) -> dict[str, Any]:
    """The contents of tokenizer.json for a tokenizer of longest tokens."""
    model = {
        "type": "WordPiece",
        "unk_token": tokenizer.unknown,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": dict(tokenizer.vocabulary),
    }
    data = whole_json(added_json(tokenizer), {"type": "BertPreTokenizer"}, WORDPIECE_DECODER, model)
    return framed(tokenizer, {**data, "normalizer": {"type": "BertNormalizer", **tokenizer.cleaning._asdict()}})


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
