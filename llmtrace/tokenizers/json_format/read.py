"""Reading tokenizer.json, the one file of the `tokenizers` library: what of it is done as that does it; the rest is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.json_format.added import AddedToken, is_id, read_added
from llmtrace.tokenizers.json_format.fields import field, kind_of, not_supported, parts_of, quote
from llmtrace.tokenizers.json_format.unigram import read_unigram
from llmtrace.tokenizers.json_format.wordpiece import read_wordpiece
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.unigram import UnigramTokenizer
from llmtrace.tokenizers.wordpiece import WordPieceTokenizer

Tokenizer = ByteLevelBPE | CharacterTokenizer | UnigramTokenizer | WordPieceTokenizer
READ: dict[str, Callable[[dict[str, Any], dict[str, Any]], Tokenizer]] = {
    "Unigram": read_unigram,
    "WordPiece": read_wordpiece,
}

# Settings of a BPE that change what it does, and the values with which it does what we do.
PLAIN: dict[str, tuple[Any, ...]] = {
    "dropout": (None, 0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "byte_fallback": (None, False),
}


def read_tokenizer_json(data: Any) -> Tokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    model = _model(data)
    kind = model.get("type")
    _expect_nothing_else(data if kind != "WordPiece" else {**data, "normalizer": None})
    if kind in READ:
        return READ[kind](data, model)
    vocabulary = read_vocabulary(model.get("vocab"))
    merges = read_merges(model.get("merges"), sum(map(len, vocabulary)))
    added = read_added(data.get("added_tokens"), vocabulary)
    rule, decoders = data.get("pre_tokenizer"), parts_of(data.get("decoder"), "decoders")
    if rule is None and not merges and all(len(text) == 1 for text in vocabulary):
        return _characters(vocabulary, added, decoders, model)
    splitter = Splitter({"type": "Sequence", "pretokenizers": []} if rule is None else rule)
    if not splitter.in_bytes:
        raise ModelError(_("its merges do not work on bytes (there is no ByteLevel in it), which is not supported"))
    for decoder in decoders:
        if not isinstance(decoder, Mapping) or decoder.get("type") != "ByteLevel":
            raise ModelError(_("the decoder {kind} is not supported; ByteLevel is", kind=kind_of(decoder)))
    unknown = field(model, "unk_token", str, None)
    if unknown is not None and field(model, "fuse_unk", bool, False):
        raise not_supported("fuse_unk", True)
    whole_pieces = field(model, "ignore_merges", bool, False)
    return ByteLevelBPE(vocabulary, merges, splitter, *_texts(added), whole_pieces, unknown)


def _texts(added: list[AddedToken]) -> tuple[dict[str, int], dict[str, int]]:
    """Those that are found in every text, and the special ones."""
    ordinary = {token.text: token.id for token in added if not token.special}
    return ordinary, {token.text: token.id for token in added if token.special}


def _model(data: Any) -> dict[str, Any]:
    model = data.get("model") if isinstance(data, dict) else None
    if not isinstance(model, dict):
        raise ModelError(_("there is no model in it"))
    kind = model.get("type", "BPE" if "merges" in model else None)
    if kind not in ("BPE", *READ):
        raise ModelError(
            _(
                "it holds a tokenizer of type {kind}; only 'BPE', 'Unigram' and 'WordPiece' are supported",
                kind=quote(kind),
            )
        )
    for name, plain in PLAIN.items():
        value = model.get(name)
        if kind == "BPE" and not any(value == each and (value is False) == (each is False) for each in plain):
            raise not_supported(name, value)
    return model


def _expect_nothing_else(data: Mapping[str, Any]) -> None:
    """ModelError for rules that change a text before it is cut, or the ids after that."""
    for rule in parts_of(data.get("normalizer"), "normalizers"):
        raise ModelError(_("the normalizer {kind} is not supported", kind=kind_of(rule)))
    for rule in parts_of(data.get("post_processor"), "processors"):
        kind = rule.get("type") if isinstance(rule, Mapping) else None
        only_the_text = kind == "TemplateProcessing" and _is_only_the_text(rule.get("single"))
        if kind != "ByteLevel" and not only_the_text:  # which does nothing to the ids
            raise ModelError(_("the post_processor {kind}, which adds tokens, is not supported", kind=kind_of(rule)))
    if data.get("truncation") is not None:
        raise not_supported("truncation", data["truncation"])
    padding = data.get("padding")
    if padding is not None and not (isinstance(padding, Mapping) and padding.get("strategy") == "BatchLongest"):
        raise not_supported("padding", padding)


def _is_only_the_text(template: Any) -> bool:
    parts = template if isinstance(template, list) else [None]
    return all(isinstance(part, Mapping) and "Sequence" in part for part in parts) and len(parts) == 1


def _characters(
    vocabulary: dict[str, int], added: list[AddedToken], decoders: list[Any], model: Mapping[str, Any]
) -> CharacterTokenizer:
    if any(token.text not in vocabulary for token in added):
        raise ModelError(_("a tokenizer of single characters with added tokens is not supported"))
    for decoder in decoders:
        if not isinstance(decoder, Mapping) or decoder.get("type") != "Fuse":
            raise ModelError(_("the decoder {kind} of single characters is not supported", kind=kind_of(decoder)))
    if field(model, "unk_token", str, None) is not None:
        raise not_supported("unk_token", model["unk_token"])
    return CharacterTokenizer(vocabulary)


def read_vocabulary(vocabulary: Any) -> dict[str, int]:
    """The vocabulary of a file, checked: texts with different whole numbers."""
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise ModelError(_("it has no vocabulary: a dictionary of tokens and their numbers is needed"))
    for text, index in vocabulary.items():
        if not is_id(index):
            raise ModelError(
                _("the id of the token {text} is {index}, not a whole number", text=quote(text), index=quote(index))
            )
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
