"""Reading a tokenizer.json of type WordPiece, as BERT's tokenizers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.bert_text import Cleaning
from llmtrace.tokenizers.json_format.added import divided, must_be_id, read_added
from llmtrace.tokenizers.json_format.fields import field, kind_of, not_supported
from llmtrace.tokenizers.wordpiece import CONTINUES, LONGEST, WordPieceTokenizer

RULES = {"normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer", "decoder": "WordPiece"}


def read_wordpiece(data: Mapping[str, Any], model: Mapping[str, Any]) -> WordPieceTokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    for name, kind in RULES.items():
        rule = data.get(name)
        if (rule is None and name == "decoder") or (isinstance(rule, Mapping) and rule.get("type") == kind):
            continue
        raise ModelError(
            _(
                "with WordPiece, the {name} {found} is not supported; {kind} is",
                name=name,
                found=kind_of(rule),
                kind=kind,
            )
        )
    for name, value in (("continuing_subword_prefix", CONTINUES), ("max_input_chars_per_word", LONGEST)):
        if model.get(name, value) != value:
            raise not_supported(name, model[name])
    rule = data["normalizer"]
    cleaning = Cleaning(
        field(rule, "lowercase", bool, True),
        field(rule, "strip_accents", bool, None),
        field(rule, "handle_chinese_chars", bool, True),
        field(rule, "clean_text", bool, True),
    )
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict) or not vocabulary or not all(vocabulary):
        raise ModelError(_("it has no vocabulary: a dictionary of tokens and their numbers is needed"))
    for text, index in vocabulary.items():
        must_be_id(text, index)
    tokens = read_added(data.get("added_tokens"), vocabulary)
    added, special, flags = divided(tokens)
    unknown = field(model, "unk_token", str, "[UNK]")
    return WordPieceTokenizer(vocabulary, unknown, cleaning, added, special).flagged(flags)
