"""Tokenizers: every text comes back, explanations lead to the ids, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.small_tokenizer import BYTES, END, SPLIT, TOKENIZER, VOCABULARY
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.errors import ModelError, PromptError, ReplayError
from llmtrace.tokenizers import ByteLevelBPE, CharacterTokenizer, Merge, Tokenization, load_tokenizer
from llmtrace.tokenizers.merging import merge_by_rank
from llmtrace.tokenizers.splitting import GPT2_SPLIT, Splitter

TEXTS = (
    st.text()
    | st.text("helo t12中 \n'<|endofx>")
    | st.lists(st.sampled_from(["hello", " the", END, "中", "  "])).map("".join)
)


# What comes back.


@given(TEXTS, st.booleans())
def test_every_text_comes_back(text, special):
    ids = TOKENIZER.encode(text, special)
    assert TOKENIZER.decode_bytes(ids) == text.encode()
    assert TOKENIZER.decode(ids) == text


@given(TEXTS, st.booleans())
def test_the_explanation_leads_to_the_ids(text, special):
    explanation = TOKENIZER.explain(text, special)
    assert explanation.ids == TOKENIZER.encode(text, special)
    assert "".join(piece.text for piece in explanation.pieces) == text
    assert b"".join(piece.data for piece in explanation.pieces) == text.encode()
    for piece in explanation.different:
        states = [piece.symbols, *piece.states()]
        assert states[-1] == tuple(token.symbol for token in piece.tokens)
        assert len(states) == len(piece.merges) + 1
    explanation.replay()


@given(TEXTS)
def test_explanations_survive_json(text):
    explanation = TOKENIZER.explain(text, special=True)
    assert Tokenization.from_dict(json.loads(json.dumps(explanation.to_dict()))) == explanation


@pytest.fixture(scope="module")
def gpt2(golden):
    return load_tokenizer(golden / "gpt2-tokenizer")


def test_known_ids(gpt2):
    tokenizer = gpt2
    assert len(tokenizer) == 50257
    assert tokenizer.encode("Hello, I am") == [15496, 11, 314, 716]
    assert tokenizer.token(464) == "The"
    assert tokenizer.encode(END, special=True) == [50256]
    assert tokenizer.encode(END) == [27, 91, 437, 1659, 5239, 91, 29]
    assert tokenizer.decode([50256]) == END
    steps = tokenizer.explain(" hello").pieces[0].merges
    assert [merge.left + merge.right for merge in steps] == ["he", "ll", "Ġhe", "Ġhell", "Ġhello"]
    assert [merge.rank for merge in steps] == sorted(merge.rank for merge in steps)


def test_gpt2_merges_as_the_definition_says(gpt2):
    ranks = {pair: rank for rank, pair in enumerate(gpt2.merges)}
    text = " antidisestablishmentarianism 中文 👩‍👩‍👧‍👦 " + "^" * 99 + " " + "a" * 99
    for piece in gpt2.explain(text).pieces:
        symbols, merges = merge_by_rank(piece.symbols, ranks)
        assert (tuple(symbols), tuple(merges)) == (tuple(token.symbol for token in piece.tokens), piece.merges)


def test_an_explanation_in_full():
    hello, the = TOKENIZER.explain("hello the").pieces
    assert hello.symbols == tuple("hello")
    assert hello.merges == (
        Merge(0, "h", "e", 0),
        Merge(1, "l", "l", 2),
        Merge(2, "he", "ll", 0),
        Merge(3, "hell", "o", 0),
    )
    assert list(hello.states()) == [("he", "l", "l", "o"), ("he", "ll", "o"), ("hell", "o"), ("hello",)]
    assert (the.text, the.data, the.tokens[0].symbol, the.tokens[0].text) == (" the", b" the", "Ġthe", " the")


def test_equal_pieces_are_described_once():
    explanation = TOKENIZER.explain(" the the hello the")
    assert [piece.text for piece in explanation.different] == [" the", " hello"]
    assert explanation.order == (0, 0, 1, 0)


def test_special_text_is_ordinary_unless_asked_for():
    text = f"a{END}b"
    assert VOCABULARY[END] not in TOKENIZER.encode(text)
    assert TOKENIZER.encode(text, special=True) == [VOCABULARY["a"], VOCABULARY[END], VOCABULARY["b"]]
    assert TOKENIZER.explain(text, special=True).pieces[1].symbols == (END,)


def test_parts_of_characters():
    first, last = TOKENIZER.encode("中")[0], VOCABULARY["Ń"]
    assert TOKENIZER.token(VOCABULARY["ä¸"]) == "<0xE4><0xB8>"
    assert TOKENIZER.decode([VOCABULARY["ä¸"]]) == "\ufffd"
    assert TOKENIZER.decode([VOCABULARY["ä¸"], last]) == "中" == TOKENIZER.token(first)
    assert TOKENIZER.decode([VOCABULARY["ä¸"], VOCABULARY["a"]]) == "\ufffda"


def test_what_is_remembered_is_not_changed_by_callers():
    TOKENIZER.encode("hello").append(0)
    assert TOKENIZER.decode(TOKENIZER.encode("hello")) == "hello"


# What is refused.


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (TOKENIZER, r"character 3 of the text is half a character, U\+D83D"),
        (CharacterTokenizer({"a": 0, "b": 1}), r"no token for '\\ud83d' \(character 3\)"),
    ],
)
def test_half_characters_are_refused_with_their_place(tokenizer, message):
    for method in (tokenizer.encode, tokenizer.explain):
        with pytest.raises(PromptError, match=message):
            method("ab\ud83d")


@pytest.mark.parametrize("tokenizer", [TOKENIZER, CharacterTokenizer({"a": 0, "b": 1})])
@pytest.mark.parametrize("index", [-1, 10**6, np.int64(99999)])
def test_ids_outside_the_vocabulary_are_refused(tokenizer, index):
    for method in (tokenizer.token, lambda i: tokenizer.decode([0, i]), lambda i: tokenizer.decode_bytes([i])):
        with pytest.raises(PromptError, match=f"no token {index}: .* 0 to {len(tokenizer) - 1}"):
            method(index)


def test_numpy_ids_are_ids():
    assert TOKENIZER.decode(np.array(TOKENIZER.encode("hello"))) == "hello"
    assert TOKENIZER.token(np.int32(VOCABULARY["hello"])) == "hello"


def test_a_byte_without_token_is_refused():
    tokenizer = ByteLevelBPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")])
    assert tokenizer.encode("ab") == [2]
    for method in (tokenizer.encode, tokenizer.explain):
        with pytest.raises(PromptError, match="no token for the byte 0xC3, which 'abé' needs"):
            method("abé")


TAMPERED = {
    "text": lambda t: replace(t, text="hallo"),
    "order": lambda t: replace(t, order=(0, 0)),
    "bytes": lambda t: piece_with(t, data=b"hallo"),
    "symbols": lambda t: piece_with(t, symbols=tuple("hallo")),
    "a merge missing": lambda t: piece_with(t, merges=t.different[0].merges[:-1]),
    "a merge elsewhere": lambda t: piece_with(t, merges=(Merge(0, "h", "e", 1), *t.different[0].merges[1:])),
    "order of merges": lambda t: piece_with(t, merges=t.different[0].merges[::-1]),
    "token": lambda t: piece_with(t, tokens=(replace(t.different[0].tokens[0], symbol="hell"),)),
}


def piece_with(tokenization, **changes):
    return replace(tokenization, different=(replace(tokenization.different[0], **changes),))


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_a_changed_explanation_does_not_replay(change):
    with pytest.raises(ReplayError):
        change(TOKENIZER.explain("hello")).replay()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"text": 1, "pieces": [], "order": []},
        {"text": "", "pieces": [], "order": [0]},
        {"text": "", "pieces": [1], "order": []},
    ],
)
def test_other_data_are_no_explanation(data):
    with pytest.raises(ValueError, match="not a tokenization"):
        Tokenization.from_dict(data)


# Characters.


def test_characters():
    tokenizer = CharacterTokenizer({"A": 0, "é": 1, "中": 2})
    assert tokenizer.encode("中Aé") == [2, 0, 1]
    assert tokenizer.decode([2, 0, 1]) == "中Aé"
    assert len(tokenizer) == 3
    with pytest.raises(PromptError, match=r"no token for 'B' \(character 2\)"):
        tokenizer.encode("AB")
    explanation = tokenizer.explain("中A")
    assert explanation.ids == [2, 0]
    assert (explanation.pieces[0].symbols, explanation.pieces[0].merges) == (("中", "A"), ())
    explanation.replay()
    assert Tokenization.from_dict(explanation.to_dict()) == explanation
    assert tokenizer.explain("").pieces == []


@pytest.mark.parametrize("vocabulary", [{"ab": 0}, {"a": 1}, {"a": 0, "b": 0}])
def test_what_is_no_alphabet(vocabulary):
    with pytest.raises(ModelError, match="single characters"):
        CharacterTokenizer(vocabulary)


# Cutting.


@pytest.mark.parametrize(
    ("rule", "text", "pieces"),
    [
        (GPT2_SPLIT, "I'm a  dog's 12345!?\n\n x", ["I", "'m", " a", " ", " dog", "'s", " 12345", "!?", "\n\n", " x"]),
        (SPLIT, "I'M 12345 (ok)\n", ["I", "'M", " ", "123", "45", " (", "ok", ")\n"]),
        ({**SPLIT, "behavior": "Removed", "invert": True}, "a b", ["a", " b"]),
        ({**SPLIT, "pattern": {"String": "."}}, "a.b", ["a", ".", "b"]),
        ({"type": "Digits", "individual_digits": True}, "ab12", ["ab", "1", "2"]),
        ({"type": "Digits"}, "ab12c", ["ab", "12", "c"]),
        ({"type": "Sequence", "pretokenizers": [{"type": "Digits"}, GPT2_SPLIT]}, "a b12", ["a", " b", "12"]),
        (BYTES, "a b", ["a b"]),
        ({**BYTES, "add_prefix_space": True}, "a b", [" a b"]),
    ],
)
def test_rules_of_cutting(rule, text, pieces):
    assert Splitter(rule).pieces(text) == pieces


@given(TEXTS)
def test_an_added_space_is_not_in_the_text(text):
    tokenizer = ByteLevelBPE(VOCABULARY, TOKENIZER.merges, Splitter({**GPT2_SPLIT, "add_prefix_space": True}))
    explanation = tokenizer.explain(text)
    explanation.replay()
    assert explanation.ids == tokenizer.encode(text)
    assert tokenizer.decode(explanation.ids) == (text if not text or text.startswith(" ") else " " + text)
