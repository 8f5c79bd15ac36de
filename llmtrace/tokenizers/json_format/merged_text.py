"""Reading a tokenizer.json of type BPE whose merges work on characters, as SentencePiece's tokenizers of merges become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.byte_symbols import BYTE_NAME, SPACE
from llmtrace.tokenizers.json_format.added import divided, expect_raw, read_added
from llmtrace.tokenizers.json_format.fields import field, kind_of, not_supported, parts_of, scheme_of
from llmtrace.tokenizers.json_format.merges import read_merges, read_vocabulary
from llmtrace.tokenizers.json_format.write import PREPEND, REPLACE, decoder_json
from llmtrace.tokenizers.merged_text import MergedTextTokenizer, Space
from llmtrace.tokenizers.splitting import BEHAVIORS

SCHEMES: Mapping[str, Space] = {"always": "unless there", "first": "first", "never": ""}
PLAIN = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")
"""Settings that must be off."""


def is_merged_text(data: Mapping[str, Any], model: Mapping[str, Any]) -> bool:
    """Whether its merges work on characters and write spaces as "▁"."""
    rules = [*parts_of(data.get("normalizer"), "normalizers"), *parts_of(data.get("pre_tokenizer"), "pretokenizers")]
    kinds = [rule.get("type") for rule in rules if isinstance(rule, Mapping)]
    by_bytes = "ByteLevel" in kinds
    return not by_bytes and (model.get("byte_fallback") is True or "Metaspace" in kinds or "Prepend" in kinds)


def read_merged_text(data: Mapping[str, Any], model: Mapping[str, Any]) -> MergedTextTokenizer:
    """The tokenizer that the contents of a tokenizer.json describe; ModelError for what is broken or not supported."""
    for name in PLAIN:
        if model.get(name):
            raise not_supported(name, model[name])
    vocabulary = read_vocabulary(model.get("vocab"))
    if not all(vocabulary):
        raise ModelError(_("a token of its vocabulary is empty"))
    merges = read_merges(model.get("merges"), sum(map(len, vocabulary)))
    in_bytes = field(model, "byte_fallback", bool, False)
    if in_bytes and sum(BYTE_NAME.fullmatch(text) is not None for text in vocabulary) != 256:
        raise ModelError(_("its setting byte_fallback needs a token for each of the 256 bytes"))
    space, by_words = _metaspace(data)
    decoder = data.get("decoder")
    if decoder != decoder_json(in_bytes, bool(space)) and not _is_undone(decoder, space, in_bytes):
        raise ModelError(_("its decoder does not undo its pre_tokenizer, or is not supported"))
    tokens = read_added(data.get("added_tokens"), vocabulary)
    expect_raw(tokens, data.get("normalizer"))
    added, special, flags = divided(tokens)
    return MergedTextTokenizer(vocabulary, merges, in_bytes, space, added, special, by_words).flagged(flags)


def _metaspace(data: Mapping[str, Any]) -> tuple[Space, bool]:
    """Where a space is added, and whether words are cut apart; older files say it with normalizers, newer ones with Metaspace."""
    normalizers = parts_of(data.get("normalizer"), "normalizers")
    rules = parts_of(data.get("pre_tokenizer"), "pretokenizers")
    if normalizers in ([PREPEND, REPLACE], [REPLACE]) and all(
        map(_cuts_at_spaces, rules)
    ):  # of which there are none then
        return "before" if PREPEND in normalizers else "", False
    for rule in normalizers:
        raise ModelError(_("the normalizer {kind} is not supported", kind=kind_of(rule)))
    if len(rules) != 1 or not isinstance(rules[0], Mapping) or rules[0].get("type") != "Metaspace":
        raise ModelError(
            _("its merges work on characters, which is only supported with Metaspace and {sign}", sign=SPACE)
        )
    (rule,) = rules
    if rule.get("replacement", SPACE) != SPACE:
        raise not_supported("replacement", rule["replacement"])
    return scheme_of(rule, SCHEMES), field(rule, "split", bool, True)


def _cuts_at_spaces(rule: Any) -> bool:
    """Whether a rule cuts a text where a space is, and only there, as Gemma's files do."""
    known = isinstance(rule, Mapping) and rule.get("type") == "Split" and rule.get("pattern") == {"String": " "}
    return known and rule.get("invert") in (None, False) and rule.get("behavior") in [*BEHAVIORS]


def _is_undone(decoder: Any, space: Space, in_bytes: bool) -> bool:
    """Whether a decoder is Metaspace, with the scheme of the rule."""
    if in_bytes or not isinstance(decoder, Mapping) or decoder.get("type") != "Metaspace":
        return False
    scheme = decoder.get("prepend_scheme", "always")
    return bool(SCHEMES.get(scheme if isinstance(scheme, str) else "", "first")) == bool(space)
