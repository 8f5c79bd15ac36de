"""A small tokenizer of SentencePiece's, with merges and bytes, and the same as a tokenizer.json."""

import io
import json

import pytest

from helpers.small_tokenizer import MERGES

TEXT = [
    "one cat and two cats. one dog and two dogs.",
    "one hat and two hats.  the cat has that hat, the rat sat on it.",
    "    the   hats\tof 12 cats, 123 dogs and 1,234 rats: ünïcödé, 中文 and so on…",
    " ".join(MERGES),
]


def trained(**settings):
    """The content of a tokenizer.model."""
    library = pytest.importorskip("sentencepiece", reason="the library that is compared with is not installed")
    model = io.BytesIO()
    library.SentencePieceTrainer.train(
        **{
            "sentence_iterator": iter(TEXT * 4),
            "model_writer": model,
            "model_type": "bpe",
            "vocab_size": 385,
            "byte_fallback": True,
            "normalization_rule_name": "identity",
            "remove_extra_whitespaces": False,
            "character_coverage": 0.98,
            "user_defined_symbols": ["<tool>"],
            "minloglevel": 2,
            **settings,
        }
    )
    return library.SentencePieceProcessor(model_proto=model.getvalue()), model.getvalue()


def pieces(theirs):
    """The tokens, their scores and types, as a GGUF file has them."""
    ids = range(len(theirs))
    kinds = [2 if theirs.is_unknown(i) else 3 if theirs.is_control(i) else 6 if theirs.is_byte(i) else 1 for i in ids]
    texts = [theirs.id_to_piece(i) for i in ids]
    return (
        texts,
        [theirs.get_score(i) for i in ids],
        [4 if t == "<tool>" else k for t, k in zip(texts, kinds, strict=True)],
    )


def tokenizer_json(theirs, space="before", framing=True):
    """As transformers' converter writes it: the pairs that make each token, by its score."""
    texts, scores, kinds = pieces(theirs)
    known = {text: i for i, text in enumerate(texts)}
    merges = []
    for text, score in zip(texts, scores, strict=True):
        own = [(text[:i], text[i:], score) for i in range(1, len(text)) if text[:i] in known and text[i:] in known]
        merges += sorted(own, key=lambda pair: (known[pair[0]], known[pair[1]])) if kinds[known[text]] == 1 else []
    merges.sort(key=lambda pair: -pair[2])
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    prepend = [{"type": "Prepend", "prepend": "▁"}] if space == "before" else []
    scheme = {"unless there": "always", "first": "first"}.get(space)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    strip = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if space else []
    undone = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    template = {
        "type": "TemplateProcessing",
        "single": [begin, first],
        "pair": [begin, first, begin, second],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": i, "content": texts[i], **flags, "special": kinds[i] != 4}
                for i in range(4)
                if kinds[i] in (2, 3, 4)
            ],
            "normalizer": None if scheme else {"type": "Sequence", "normalizers": [*prepend, replace]},
            "pre_tokenizer": scheme
            and {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False},
            "post_processor": template if framing else None,
            "decoder": {"type": "Sequence", "decoders": [*undone, *strip]},
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": "<unk>",
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": True,
                "byte_fallback": True,
                "vocab": known,
                "merges": [[left, right] for left, right, _score in merges],
            },
        }
    )
