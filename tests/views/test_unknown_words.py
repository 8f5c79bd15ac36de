"""What is said of a prompt that the vocabulary of the model has no tokens for, computed from the vocabulary."""

import ast
import itertools
import re

import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.text import quoted, split_characters, token_words
from llmtrace.views.document import Document
from llmtrace.views.overview import view as overview
from llmtrace.views.unknown_words import COMMAND, MANY, note, words_in_pieces

pytestmark = pytest.mark.usefixtures("own_state")


def notes(trace, text=0):
    return " ".join(as_text(Document(tuple(note(trace, text)), {}), width=500).split("\n")).strip()


@pytest.fixture(scope="module")
def model():
    return llmtrace.load()


def test_nothing_is_said_of_what_it_was_trained_on(model):
    assert notes(model.trace("The king had a child, a girl, and the old lamp will belong to")) == ""


@pytest.mark.parametrize(
    "word", ["grandmother", "Bertha", "delicious", "capital", "France", "Straße", "naïveté", "мама"]
)
def test_words_in_pieces(model, word):
    """Of every word the number of tokens that it really falls into, wherever it stands."""
    for prompt in (f"The {word} is", f"{word}.", f"A girl ({word})", f"{word}{word}"):
        trace = model.trace(prompt)
        found = words_in_pieces(trace.tokens)
        for each, count in found.items():
            spans = list(itertools.accumulate(map(len, trace.tokens)))
            start = "".join(trace.tokens).index(each)
            touched = [
                n for n, end in enumerate(spans) if end > start and end - len(trace.tokens[n]) < start + len(each)
            ]
            assert count == len(touched) >= MANY
            assert f"{quoted(each)} ({count})" in notes(trace)
            assert COMMAND in notes(trace)
    if word.isascii():
        assert word in words_in_pieces(model.trace(f"The {word} is").tokens)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("中华人民", "None of its 768 tokens has a Chinese character: each is split into its bytes."),
        ("中 😀", "None of its 768 tokens has the characters '中', '😀': each is split into its bytes."),
        ("ï", "None of its 768 tokens has the character 'ï': it is split into its bytes."),
        ("😀 ïç é中", "has the characters '😀', 'ï', 'ç', …: each"),
    ],
)
def test_characters_in_bytes(model, prompt, text):
    assert text in notes(model.trace(prompt))
    assert COMMAND not in notes(model.trace(prompt))


def test_what_the_vocabulary_has_is_not_denied():
    bytes_of = ["<0xE4>", "<0xB8>", "<0xAD>"]
    assert "Chinese" in notes(small_gpt(texts=bytes_of).trace([0, 1, 2]))
    told = notes(small_gpt(texts=[*bytes_of, "国"]).trace([0, 1, 2]))
    assert "None of its 4 tokens has the character '中'" in told


def test_where_only_some_tokens_are_known_no_more_is_said(model):
    trace = model.trace("中")
    trace.token_text = lambda index: f"#{index}" if index == 700 else model.token_text(index)
    assert "has the character '中'" in notes(trace)  # as files of large vocabularies have it


def test_scripts_without_spaces_and_models_of_characters_have_no_long_words():
    chinese = small_gpt(texts="国王有一个孩子")
    assert notes(chinese.trace("国王有一个孩子")) == ""
    letters = small_gpt(texts="abcdef")
    assert notes(letters.trace("abcdef")) == ""


def test_each_text_of_a_batch(model):
    trace = model.trace([model.ids("The king had").tolist()[:3], model.ids("中").tolist()])
    assert notes(trace, 0) == ""
    assert "Chinese" in notes(trace, 1)


def test_it_stands_before_the_trace(model):
    text = as_text(overview(model.trace("My grandmother")))
    assert text.index("grandmother' (5)") < text.index("embedding")
    assert "grandmother' (5)" in said("trace", "My grandmother")


@pytest.mark.parametrize("text", ["中华", "a中", " 中 b", "😀", "ï", "plain", ""])
def test_characters_are_put_together_from_their_tokens(model, text):
    tokens = [model.token_text(i) for i in model.ids(text)] if text else []
    words = [re.sub(r" \([0-9A-F ]+\)$", "", word) for word in token_words(tokens)]
    assert "".join(map(ast.literal_eval, words)) == text
    for start, end, whole in split_characters(tokens):
        assert whole.strip() in text
        assert end - start == len(whole.encode())


@pytest.mark.parametrize("tokens", [["<0xAD>"], ["<0xE4>", "<0xB8>"], ["<0xE4>", "a"], ["<0xFF>"] * 6])
def test_parts_of_no_character_stay_as_they_are(tokens):
    assert token_words(tokens) == [quoted(token) for token in tokens]


def test_rows_and_columns_of_bytes_are_told_apart():
    shown = said("show", "block.1.attn.pattern", "--prompt", "中华", "--head", "1")
    for part in ("0 E4", "1 B8", "2 AD", "3 E5", "4 8D", "5 8E"):
        assert shown.count(part) == 2
