"""Tokens that are found before a text is cut, with their flags, against the `tokenizers` library."""

import json
import pickle

import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.errors import ModelError
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.json_format.read import read_tokenizer_json
from llmtrace.tokenizers.json_format.write import byte_level_json
from llmtrace.tokenizers.splitting import GPT2_SPLIT

VOCABULARY = {symbol: n for n, symbol in enumerate(SYMBOLS)} | {"he": 256}
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
CONTENTS = ["<s>", "he", "hello", "<s>h", "lo", "12", "é", "a b", "<m>", "x ", "_", "\u0301", "ⅷ", " t"]
BESIDE = [" ", "  ", "\n", "\x1c", "\u3000", "h", "t", "x", "\u200d", "."]


def token(content, number, **flags):
    return {"content": content, "id": number, **flags}


def file(added):
    """A tokenizer.json with these added tokens."""
    settings = {"dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
    model = {
        "type": "BPE",
        **settings,
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": VOCABULARY,
        "merges": ["h e"],
    }
    others = {"truncation": None, "padding": None, "normalizer": None, "post_processor": None}
    rules = {"pre_tokenizer": GPT2_SPLIT, "decoder": GPT2_SPLIT}
    return {"version": "1.0", **others, **rules, "added_tokens": added, "model": model}


@st.composite
def added_tokens(draw):
    contents = draw(st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=4, unique=True))
    new = [content for content in contents if content not in VOCABULARY]
    ids = {**VOCABULARY, **{content: len(VOCABULARY) + n for n, content in enumerate(new)}}
    return [token(content, ids[content], **{flag: draw(st.booleans()) for flag in FLAGS}) for content in contents]


NO = dict.fromkeys(FLAGS, False)
BOTH = [token("<s>", 257, **NO | {"rstrip": True}), token("<m>", 258, **NO | {"lstrip": True})]
OVERLAP = [token("<s>h", 257, **NO), token("he", 256, **NO | {"normalized": True})]


@example(BOTH, "<s> <m>", False)
@example(OVERLAP, "<s>he", False)
@given(added_tokens(), st.lists(st.sampled_from(CONTENTS + BESIDE), max_size=8).map("".join), st.booleans())
def test_found_as_the_library_does(added, text, special):
    data = file(added)
    if any(each["rstrip"] for each in added) and any(each["content"][0] == " " for each in added):
        with pytest.raises(ModelError, match=r"\(rstrip\)"):
            read_tokenizer_json(data)
        return
    mine = read_tokenizer_json(json.loads(json.dumps(data)))
    theirs = tokenizers.Tokenizer.from_str(json.dumps(data))
    theirs.encode_special_tokens = not special
    ids = mine.encode(text, special)
    assert ids == theirs.encode(text).ids
    explained = mine.explain(text, special)
    explained.replay()
    assert explained.ids == ids
    assert "".join(piece.text for piece in explained.pieces) == text
    for again in (read_tokenizer_json(byte_level_json(mine)), pickle.loads(pickle.dumps(mine))):
        assert again.encode(text, special) == ids
        assert again.flags == mine.flags


def test_white_space_that_is_taken_is_left_out_of_the_text():
    mine = read_tokenizer_json(file([token("<mask>", 257, special=True, lstrip=True)]))
    ids = mine.encode("he  <mask>.", special=True)
    assert ids == [256, 257, VOCABULARY["."]]
    assert mine.decode(ids) == "he<mask>."
    assert [(piece.text, piece.tokens == ()) for piece in mine.explain("he  <mask>.", special=True).pieces] == [
        ("he", False),
        ("  ", True),
        ("<mask>", False),
        (".", False),
    ]


def test_what_no_order_of_searching_could_decide_is_refused():
    with pytest.raises(ModelError, match=r"'<s>' takes the white space behind it \(rstrip\), with which ' t' begins"):
        read_tokenizer_json(file([token("<s>", 257, special=True, rstrip=True), token(" t", 258, special=True)]))
