"""WordPiece: the ids that `tokenizers` gives, from vocab.txt and from tokenizer.json, and an explanation of each word."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.errors import ModelError, ReplayError
from llmtrace.tokenizers import Tokenization, WordPieceTokenizer, load_tokenizer
from llmtrace.tokenizers.bert_text import Cleaning

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIAL, *"中华人民共和国abcéE123.,-"]
WORDS += ["##a", "##b", "##c", "ab", "##bc", "abc", "##é", "[", "]", "mask", "##", "##中", "e"]
IDS = {text: index for index, text in enumerate(WORDS)}
LETTERS = "abcéEÉABCİßæ中华人x123.,-!¿、。#[]  \t\n\x00\x1c\u00a0\u0301\u200d\ufffd\U0002b821가MASK"
TEXTS = st.text(st.sampled_from(LETTERS), max_size=16)
CLEANINGS = st.builds(Cleaning, st.booleans(), st.sampled_from([None, True, False]), st.booleans(), st.booleans())


def special(texts=SPECIAL):
    return {text: IDS[text] for text in texts}


@given(TEXTS, CLEANINGS, st.booleans())
@example("ABC中a.b\n\tabcé", Cleaning(), False)
@example("x[MASK]y [MASK]", Cleaning(), True)
@example("a" * 100 + " " + "a" * 101, Cleaning(), False)
def test_the_ids_of_the_other_library(text, cleaning, special_too):
    tokenizers = pytest.importorskip("tokenizers", "0.20", reason="the library that is compared with is not installed")
    tokenizer = WordPieceTokenizer(IDS, cleaning=cleaning, special=special())
    theirs = tokenizers.Tokenizer.from_str(json.dumps(json_of(tokenizer)))
    theirs.encode_special_tokens = not special_too
    assert tokenizer.encode(text, special_too) == theirs.encode(text).ids


def json_of(tokenizer):
    from llmtrace.tokenizers.json_format.write import wordpiece_json

    return wordpiece_json(tokenizer)


@given(TEXTS, CLEANINGS, st.booleans())
def test_the_explanation_leads_to_the_ids(text, cleaning, special_too):
    tokenizer = WordPieceTokenizer(IDS, cleaning=cleaning, special=special())
    explanation = tokenizer.explain(text, special_too)
    assert explanation.ids == tokenizer.encode(text, special_too)
    assert "".join(piece.text for piece in explanation.pieces) == text
    explanation.replay()
    assert Tokenization.from_dict(json.loads(json.dumps(explanation.to_dict()))) == explanation


FORGERIES = {
    "another token": {"tokens": lambda tokens: (replace(tokens[0], symbol="b"), *tokens[1:])},
    "a token less": {"tokens": lambda tokens: tokens[:-1]},
    "another word": {"data": lambda data: b"abb"},
    "other symbols": {"symbols": lambda symbols: symbols[::-1]},
    "a token that does not go on": {"tokens": lambda tokens: (tokens[0], replace(tokens[1], symbol="bc"))},
    "another text": {"tokens": lambda tokens: (replace(tokens[0], text="x"), *tokens[1:])},
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_an_explanation_that_is_not_right(change):
    short = {text: IDS[text] for text in (*SPECIAL, "a", "##bc")}
    (piece,) = WordPieceTokenizer(short).explain("ABC").different
    assert [token.symbol for token in piece.tokens] == ["a", "##bc"]
    with pytest.raises(ReplayError):
        replace(piece, **{name: made(getattr(piece, name)) for name, made in change.items()}).replay()


def write(folder, words=WORDS, ends="\n", **config):
    (folder / "vocab.txt").write_bytes(ends.join([*words, ""]).encode())
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_vocabulary_of_lines(tmp_path, ends):
    tokenizer = load_tokenizer(write(tmp_path, ends=ends, tokenizer_class="BertTokenizer"))
    assert tokenizer.encode("中华人民") == [5, 6, 7, 8]
    assert tokenizer.decode([5, 6, 7, 8]) == "中华人民"
    assert tokenizer.encode("中[SEP]", special=True) == [5, IDS["[SEP]"]]
    assert tokenizer.encode("ABC, abc") == [IDS["abc"], IDS[","], IDS["abc"]]
    assert tokenizer.decode(tokenizer.encode("ABC, abcbc.")) == "abc, abcbc."
    assert tokenizer.special == special()


def test_settings_beside_it(tmp_path):
    write(tmp_path, do_lower_case=False, tokenize_chinese_chars=False, unk_token="[MASK]")
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.encode("E中 X") == [IDS["E"], IDS["##中"], IDS["[MASK]"]]
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<s>": len(WORDS)}))
    assert load_tokenizer(tmp_path).encode("a<s>a") == [IDS["a"], len(WORDS), IDS["a"]]


@given(TEXTS)
def test_saved_and_loaded(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "wordpiece"
    tokenizer = WordPieceTokenizer(IDS, cleaning=Cleaning(lowercase=False), special=special())
    tokenizer.save(folder)
    again = load_tokenizer(folder)
    assert again.encode(text) == tokenizer.encode(text)
    assert (again.vocabulary, again.special, again.cleaning.lowercase) == (IDS, special(), False)


REFUSED = {
    "no unknown token": ({"words": ["a", "b"]}, r"unk_token '\[UNK\]' is not in the vocabulary"),
    "a word twice": ({"words": [*WORDS, "a"]}, "the token 'a' is in the vocabulary twice"),
    "another class": ({"tokenizer_class": "XLNetTokenizer"}, "a 'XLNetTokenizer', which is not supported"),
    "words never split": ({"never_split": ["ab"]}, "never_split"),
    "a setting of another type": ({"do_lower_case": "yes"}, "do_lower_case = 'yes'"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(tmp_path, changes, message):
    with pytest.raises(ModelError, match=message):
        load_tokenizer(write(tmp_path, **changes))


@pytest.mark.parametrize("index", [-1, 1 << 40, "1", True, None])
def test_an_id_that_is_none(tmp_path, index):
    data = json_of(WordPieceTokenizer(IDS))
    data["model"]["vocab"]["a"] = index
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError, match=f"'a' is {index!r}, not a whole number from 0 to 2,147,483,646"):
        load_tokenizer(tmp_path)


RULES = {
    "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "Whitespace"},
    "decoder": {"type": "ByteLevel"},
    "post_processor": {"type": "Byte"},
}


@pytest.mark.parametrize("name", RULES)
def test_other_rules_are_refused_by_name(tmp_path, name):
    data = {**json_of(WordPieceTokenizer(IDS)), name: RULES[name]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError, match=RULES[name]["type"]):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("name", ["continuing_subword_prefix", "max_input_chars_per_word"])
def test_other_settings_are_refused_by_name(tmp_path, name):
    data = json_of(WordPieceTokenizer(IDS))
    data["model"][name] = "@@" if "prefix" in name else 5
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError, match=name):
        load_tokenizer(tmp_path)
