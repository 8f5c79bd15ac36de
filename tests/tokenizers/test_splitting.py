"""A tokenizer that brings a text to a normal form of Unicode first gives the ids of that form."""

import json

import pytest
from helpers.small_models import small_config, tensors
from helpers.small_tokenizer import MERGES, VOCABULARY
from hypothesis import example, given
from hypothesis import strategies as st

import llmtrace
from llmtrace.explain.verify import verify_tokens
from llmtrace.models import GPT
from llmtrace.tokenizers import load_tokenizer
from llmtrace.tokenizers.json_format.read import read_tokenizer_json
from llmtrace.tokenizers.normal_forms import FORMS, normal
from llmtrace.tokenizers.splitting import GPT2_SPLIT
from llmtrace.weights.gpt import GPT2

MARKS = "\u0300\u0301\u0323\u0327\u0345\u09be\u0cd5\u3099"
TEXTS = st.text(
    st.sampled_from("aeo hé中か가ᄀ\u1161\u11a8\u0915\u093c\u212b\u2126\ufb1d\U0001d15e" + MARKS), max_size=12
)


NORMALIZERS = [
    *[({"type": form}, [form]) for form in FORMS],
    ({"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "NFC"}]}, ["NFKD", "NFC"]),
]


def content(*added, normalizer=NORMALIZERS[0][0]):
    model = {"type": "BPE", "vocab": VOCABULARY, "merges": MERGES}
    return {"normalizer": normalizer, "pre_tokenizer": GPT2_SPLIT, "added_tokens": list(added), "model": model}


@given(TEXTS | st.text(max_size=8))
@example("e\u0301 \u0915\u093c")
@example("\u0301\u0323e\u0323\u0301")
def test_the_ids_of_the_text_in_normal_form(text):
    for normalizer, forms in NORMALIZERS:
        tokenizer = read_tokenizer_json(content(normalizer=normalizer))
        wanted = text
        for form in forms:
            wanted = normal(wanted, form)
        found = tokenizer.explain(text)
        found.replay()
        assert tokenizer.encode(text) == found.ids == tokenizer.encode(wanted)
        assert "".join(piece.text for piece in found.pieces) == found.text == wanted
        assert tokenizer.decode(found.ids) == wanted


@pytest.mark.parametrize("normalizer", [normalizer for normalizer, _forms in NORMALIZERS], ids=str)
def test_it_is_saved_with_its_normalizer(tmp_path, normalizer):
    read_tokenizer_json(content(normalizer=normalizer)).save(tmp_path)
    assert json.loads((tmp_path / "tokenizer.json").read_text())["normalizer"] == normalizer
    assert load_tokenizer(tmp_path).splitter.forms == read_tokenizer_json(content(normalizer=normalizer)).splitter.forms


def test_a_saved_one_composes_as_before(tmp_path):
    tokenizer = read_tokenizer_json(content())
    tokenizer.save(tmp_path)
    assert load_tokenizer(tmp_path).encode("e\u0301") == tokenizer.encode("é")


@pytest.mark.parametrize("normalized", [False, True])
def test_added_tokens_are_found_in_the_text_as_it_is(normalized):
    added = {"id": len(VOCABULARY), "content": "e\u0301", "normalized": normalized, "special": False}
    if normalized:
        with pytest.raises(ValueError, match="is normalized, which is not supported"):
            read_tokenizer_json(content(added))
        return
    tokenizer = read_tokenizer_json(content(added))
    assert len(VOCABULARY) in tokenizer.encode("he\u0301h")
    assert len(VOCABULARY) not in tokenizer.encode("héh")


def test_a_trace_of_it_is_verified(tmp_path):
    tokenizer = read_tokenizer_json(content())
    config = small_config(vocabulary=len(tokenizer))
    model = GPT(config, GPT2.weights(config, tensors(config), "random"), tokenizer)
    trace = model.trace("he\u0301 la")
    verify_tokens(trace)
    trace.save(tmp_path / "t.trace", with_weights=True)
    verify_tokens(llmtrace.open(tmp_path / "t.trace"))
