"""Reading tokenizer.json, the one file of the `tokenizers` library: what of it is done as that does it; the rest is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.lazy import attribute
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.json_format.added import AddedToken, divided, expect_raw, read_added
from llmtrace.tokenizers.json_format.fields import field, kind_of, not_supported, parts_of, quote
from llmtrace.tokenizers.json_format.framing import read_framing
from llmtrace.tokenizers.json_format.merged_text import is_merged_text, read_merged_text
from llmtrace.tokenizers.json_format.merges import read_merges, read_vocabulary
from llmtrace.tokenizers.json_format.write import NORMAL_FORMS
from llmtrace.tokenizers.splitting import Splitter

if TYPE_CHECKING:
    from llmtrace.tokenizers.merged_text import MergedTextTokenizer
    from llmtrace.tokenizers.unigram import UnigramTokenizer
    from llmtrace.tokenizers.wordpiece import WordPieceTokenizer

Tokenizer: TypeAlias = "ByteLevelBPE | CharacterTokenizer | MergedTextTokenizer | UnigramTokenizer | WordPieceTokenizer"
READ = {
    "Unigram": "llmtrace.tokenizers.json_format.unigram.read_unigram",
    "WordPiece": "llmtrace.tokenizers.json_format.wordpiece.read_wordpiece",
}
"""Where the reader of each other type is: imported when a file is of that type."""

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
    _expect_whole_texts(data)
    tokenizer = _read(data, model)
    if not isinstance(tokenizer, CharacterTokenizer):
        tokenizer.framing = read_framing(data)
    return tokenizer


def _read(data: dict[str, Any], model: dict[str, Any]) -> Tokenizer:
    """The tokenizer without what it puts around a text."""
    kind = model.get("type")
    if kind == "BPE" and is_merged_text(data, model):
        return read_merged_text(data, model)
    normalizers = parts_of(data.get("normalizer"), "normalizers") if kind != "WordPiece" else []
    for rule in normalizers:
        if kind != "BPE" or rule not in NORMAL_FORMS:
            raise ModelError(_("the normalizer {kind} is not supported", kind=kind_of(rule)))
    if kind in [*READ]:
        other: Tokenizer = attribute(READ[kind])(data, model)
        return other
    _expect_plain(model)
    vocabulary = read_vocabulary(model.get("vocab"))
    merges = read_merges(model.get("merges"), sum(map(len, vocabulary)))
    added = read_added(data.get("added_tokens"), vocabulary)
    rule, decoders = data.get("pre_tokenizer"), parts_of(data.get("decoder"), "decoders")
    expect_raw(added, normalizers)
    if rule is None and not merges and not normalizers and all(len(text) == 1 for text in vocabulary):
        return _characters(data, vocabulary, added, decoders, model)
    forms = [form["type"] for form in normalizers]
    splitter = Splitter({"type": "Sequence", "pretokenizers": []} if rule is None else rule, forms)
    if not splitter.in_bytes:
        raise ModelError(_("its merges do not work on bytes (there is no ByteLevel in it), which is not supported"))
    for decoder in decoders:
        if not isinstance(decoder, Mapping) or decoder.get("type") != "ByteLevel":
            raise ModelError(_("the decoder {kind} is not supported; ByteLevel is", kind=kind_of(decoder)))
    unknown = field(model, "unk_token", str, None)
    if unknown is not None and field(model, "fuse_unk", bool, False):
        raise not_supported("fuse_unk", True)
    whole_pieces = field(model, "ignore_merges", bool, False)
    ordinary, special, flags = divided(added)
    return ByteLevelBPE(vocabulary, merges, splitter, ordinary, special, whole_pieces, unknown).flagged(flags)


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
    return model


def _expect_plain(model: Mapping[str, Any]) -> None:
    """ModelError for settings that change what merges do."""
    for name, plain in PLAIN.items():
        value = model.get(name)
        if not any(value == each and (value is False) == (each is False) for each in plain):
            raise not_supported(name, value)


def _expect_whole_texts(data: Mapping[str, Any]) -> None:
    """ModelError for rules that change the ids after all others."""
    if data.get("truncation") is not None:
        raise not_supported("truncation", data["truncation"])
    padding = data.get("padding")
    if padding is not None and not (isinstance(padding, Mapping) and padding.get("strategy") == "BatchLongest"):
        raise not_supported("padding", padding)


def _characters(
    data: Mapping[str, Any],
    vocabulary: dict[str, int],
    added: list[AddedToken],
    decoders: list[Any],
    model: Mapping[str, Any],
) -> CharacterTokenizer:
    if any(token.text not in vocabulary for token in added):
        raise ModelError(_("a tokenizer of single characters with added tokens is not supported"))
    for decoder in decoders:
        if not isinstance(decoder, Mapping) or decoder.get("type") != "Fuse":
            raise ModelError(_("the decoder {kind} of single characters is not supported", kind=kind_of(decoder)))
    if field(model, "unk_token", str, None) is not None:
        raise not_supported("unk_token", model["unk_token"])
    if data.get("post_processor") is not None:
        raise not_supported("post_processor", data["post_processor"])
    return CharacterTokenizer(vocabulary)
