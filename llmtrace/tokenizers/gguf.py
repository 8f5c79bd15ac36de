"""The tokenizer that a GGUF file holds in its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.storage.gguf import Texts
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.json_format.fields import quote
from llmtrace.tokenizers.json_format.read import Tokenizer, read_merges
from llmtrace.tokenizers.splitting import GPT2_SPLIT, Splitter

PREFIX = "tokenizer.ggml."
CONTROL, USER_DEFINED, UNUSED = 3, 4, 5
"""Types of tokens: found in a text only when asked for, found in every text, never made."""
LLAMA3_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
LLAMA3_PATTERN += r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2_PATTERN = LLAMA3_PATTERN.replace("{1,3}", "")


def _by(pattern: str) -> Mapping[str, Any]:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, {**GPT2_SPLIT, "use_regex": False}]}


SPLITS: dict[str, Mapping[str, Any]] = {
    "gpt-2": GPT2_SPLIT,
    "llama-bpe": _by(LLAMA3_PATTERN),
    "qwen2": _by(QWEN2_PATTERN),
    "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, GPT2_SPLIT]},
}
"""How each of llama.cpp's pre-tokenizers (`tokenizer.ggml.pre`) cuts a text, as a tokenizer.json would say it."""
WHOLE_PIECES = ("llama-bpe",)
"""Those with which a piece that is a token is looked up, not merged."""


def read_gguf_tokenizer(settings: Mapping[str, Any]) -> Tokenizer | None:
    """The tokenizer of a file, or None where it has none; ValueError for what is broken or not supported."""
    own = {name.removeprefix(PREFIX): value for name, value in settings.items() if name.startswith(PREFIX)}
    kind = own.get("model")
    if kind is None or kind in {"none", "no_vocab"}:
        return None
    if not isinstance(kind, str) or kind not in READ:
        raise ValueError(
            _(
                "has a tokenizer of the kind {kind}; only {known} can be read",
                kind=quote(kind),
                known=listed(map(quote, READ)),
            )
        )
    try:
        return READ[kind](own)
    except ModelError as error:
        raise ValueError(_("has a tokenizer that can't be used: {error}", error=error)) from error


def _byte_level(own: Mapping[str, Any]) -> ByteLevelBPE:
    pre = own.get("pre", "")
    if not isinstance(pre, str) or pre not in SPLITS:
        raise ModelError(
            _(
                "its pre-tokenizer is {kind}; only {known} are supported",
                kind=quote(pre),
                known=listed(map(quote, SPLITS)),
            )
        )
    tokens = _tokens(own)
    types = _types(own, len(tokens))
    vocabulary = {text: index for index, text in enumerate(tokens)}
    added, special = ({tokens[i]: int(i) for i in np.flatnonzero(types == kind)} for kind in (USER_DEFINED, CONTROL))
    merges = read_merges(list(_texts(own, "merges")), sum(map(len, tokens)))
    return ByteLevelBPE(vocabulary, merges, Splitter(SPLITS[pre]), added, special, pre in WHOLE_PIECES)


def _texts(own: Mapping[str, Any], name: str) -> Texts:
    texts = own.get(name)
    if not isinstance(texts, Texts):
        raise ModelError(_("it has no list of texts {name}", name=PREFIX + name))
    return texts


def _tokens(own: Mapping[str, Any]) -> list[str]:
    """The tokens, in the order of their ids."""
    tokens = list(_texts(own, "tokens"))
    if not tokens or not all(tokens):
        raise ModelError(_("a token of its vocabulary is empty"))
    places = {text: index for index, text in enumerate(tokens)}
    if len(places) < len(tokens):
        twice = next(text for index, text in enumerate(tokens) if places[text] != index)
        raise ModelError(_("the token {text} is in the vocabulary twice", text=quote(twice)))
    return tokens


def _types(own: Mapping[str, Any], count: int) -> Any:
    """The type of each token."""
    types = own.get("token_type", np.ones(count, np.int32))
    if not isinstance(types, np.ndarray) or types.shape != (count,):
        raise ModelError(_("it has {count} tokens, but not as many types of tokens", count=count))
    return types


READ = {"gpt2": _byte_level}
