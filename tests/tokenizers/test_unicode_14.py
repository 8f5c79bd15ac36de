"""Characters as Unicode 14 has them: the same with every Python, whose own editions differ."""

import hashlib
import unicodedata

import pytest

from llmtrace.tokenizers.bert_text import Cleaning, is_punctuation
from llmtrace.tokenizers.unicode_14 import category, is_newer, lowered

PLANES = [*range(0xD800), *range(0xE000, 0x33500), *range(0xE0000, 0xE0200)]
"""All characters but for planes in which there are none, and private ones."""
SOGDIAN = "\U00010f46"
"""A mark that Unicode 14 has."""
GARAY = "\U00010d50"
TULU = "\U00011385"
"""Of Unicode 16: a capital letter, and a letter with its sign in one."""


def digest(parts):
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_every_character_is_as_python_3_11_knows_it():
    """The first hash was made of `unicodedata` alone, by Python 3.11; the second differs from that by U+11938, whose parts are
    no older than Unicode 13.
    """
    every = list(map(chr, PLANES))
    known = digest(f"{category(c)} {lowered(c)}" for c in every)
    clean = Cleaning().clean
    cleaned = digest(f"{clean(c)} {is_punctuation(c)}" for c in every)
    assert known == "7a03078c691ac1b720c157c101af7e42169e683b6314584ee43a0aff72677e3c"
    assert cleaned == "89982d573e33b0a04e0a5c68a0615d74ab22417c9f4feb4f23f8bec06b0e5a4d"


@pytest.mark.parametrize("character", [GARAY, TULU, "\U00011f00", "\u0897", "\U000323b0"])
def test_what_came_later_is_nothing_yet(character):
    assert is_newer(character)
    assert category(character) == "Cn"
    assert lowered(character) == character
    assert Cleaning().clean(character) == character
    assert not is_punctuation(character)


@pytest.mark.parametrize("character", ["a", "é", "中", SOGDIAN, "\U0001f980"])
def test_what_there_was_is_known(character):
    assert not is_newer(character)
    assert category(character) == unicodedata.category(character)
