"""Characters as Unicode 14 has them: the same with every Python, whose own editions differ."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.tokenizers.bert_text import Cleaning, is_punctuation
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.unicode_14 import category, composed, decomposed, is_newer, lowered

PLANES = [*range(0xD800), *range(0xE000, 0x33500), *range(0xE0000, 0xE0200)]
"""All characters but for planes in which there are none, and private ones."""
SOGDIAN = "\U00010f46"
"""A mark that Unicode 14 has."""
GARAY, GARAY_SMALL = "\U00010d50", "\U00010d70"
TULU, TULU_PARTS = "\U00011385", "\U00011384\U000113bb"
"""Of Unicode 16: a capital letter, and a letter with its sign in one."""


def digest(parts):
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_every_character_is_as_python_3_11_knows_it():
    """Its hashes were made of `unicodedata` alone, by Python 3.11."""
    every = list(map(chr, PLANES))
    known = digest(f"{category(c)} {decomposed(c)} {lowered(c)} {composed(c + chr(0x307))}" for c in every)
    cleaned = digest(f"{Cleaning().clean(c)} {is_punctuation(c)}" for c in every)
    assert known == "7f69474474f178538b1af43e981eb900ca04f6521d85bf7620004238be213403"
    assert cleaned == "7108a40ff7cd14a17a090ca497d41af8a9e484e738344d4da8784a2593a95c24"


@pytest.mark.parametrize("character", [GARAY, TULU, "\U00011f00", "\u0897", "\U000323b0"])
def test_what_came_later_is_nothing_yet(character):
    assert is_newer(character)
    assert category(character) == "Cn"
    assert decomposed(character) == lowered(character) == composed(character) == character
    assert Cleaning().clean(character) == character
    assert not is_punctuation(character)


@pytest.mark.parametrize("character", ["a", "é", "中", SOGDIAN, "\U0001f980"])
def test_what_there_was_is_known(character):
    assert not is_newer(character)
    assert category(character) == unicodedata.category(character)
    assert decomposed(character) == unicodedata.normalize("NFD", character)


@given(st.text(st.sampled_from(["e", "\u0301", "é", "\u0323", "가", "\u11a8", GARAY, TULU, *TULU_PARTS])))
def test_parts_join_only_with_what_was_there(text):
    found = composed(text)
    assert composed(found) == found == Splitter(composed=True).normalized(text)
    assert unicodedata.normalize("NFD", found) == unicodedata.normalize("NFD", text)
    known = "".join(c for c in text if not is_newer(c))
    if known == text:
        assert found == unicodedata.normalize("NFC", text)
    assert [c for c in found if is_newer(c)] == [c for c in text if is_newer(c)]
