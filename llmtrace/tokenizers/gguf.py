"""The tokenizer that a GGUF file holds in its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.storage.gguf import Texts
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.json_format.added import expect_few, is_id
from llmtrace.tokenizers.json_format.fields import quote
from llmtrace.tokenizers.json_format.merges import read_merges
from llmtrace.tokenizers.json_format.read import Tokenizer
from llmtrace.tokenizers.merged_text import MergedTextTokenizer, Space
from llmtrace.tokenizers.sentencepiece import CONTROL, USER_DEFINED, Scored, from_scores
from llmtrace.tokenizers.splitting import GPT2_SPLIT, Splitter

PREFIX = "tokenizer.ggml."
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
    expect_few(len(added) + len(special))
    merges = read_merges(list(_texts(own, "merges")), sum(map(len, tokens)))
    ids = [_around(own, "bos", pre in WHOLE_PIECES, None), _around(own, "eos", False, None)]
    if any(index is not None and index >= len(tokens) for index in ids):
        raise ModelError(
            _("there is no token {index}, which it puts around every text", index=max(i or 0 for i in ids))
        )
    tokenizer = ByteLevelBPE(vocabulary, merges, Splitter(SPLITS[pre]), added, special, pre in WHOLE_PIECES)
    tokenizer.framing = Framing(*(() if index is None else (index,) for index in ids))
    return tokenizer


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


def _merged_text(own: Mapping[str, Any]) -> MergedTextTokenizer:
    tokens = _tokens(own)
    types, scores = _types(own, len(tokens)), own.get("scores")
    if not isinstance(scores, np.ndarray) or scores.shape != (len(tokens),) or scores.dtype.kind != "f":
        raise ModelError(_("it has {count} tokens, but not as many scores", count=len(tokens)))
    pieces = [Scored(*each) for each in zip(tokens, scores.tolist(), types.tolist(), strict=True)]
    space: Space = "before" if _flag(own, "add_space_prefix", True) else ""
    return from_scores(pieces, space, _around(own, "bos", True, 1), _around(own, "eos", False, 2))


def _flag(own: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = own.get(name, usual)
    if not isinstance(value, bool):
        raise ModelError(_("it has {name} = {value}", name=PREFIX + name, value=quote(value)))
    return value


def _around(own: Mapping[str, Any], name: str, usual: bool, index: int | None) -> int | None:
    """The id of a token that is put around every text, if it is."""
    if not _flag(own, f"add_{name}_token", usual):
        return None
    found = own.get(f"{name}_token_id", index)
    if not is_id(found):
        raise ModelError(_("it has {name} = {value}", name=f"{PREFIX}{name}_token_id", value=quote(found)))
    return found


READ: dict[str, Callable[[Mapping[str, Any]], Tokenizer]] = {"gpt2": _byte_level, "llama": _merged_text}
"""The kinds of tokenizers (`tokenizer.ggml.model`)."""
