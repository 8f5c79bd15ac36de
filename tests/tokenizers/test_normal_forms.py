"""Unicode's normal forms are those of the `tokenizers` library: by the tables of edition 9.0, on every Python."""

import unicodedata
from functools import cache

import pytest
from helpers.unicode import characters
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.tokenizers.normal_forms import CHANGED, FORMS, normal

HANGUL = [chr(code) for code in range(0x1100, 0x1200)]


@cache
def parts():
    return [c for c in characters() if unicodedata.decomposition(c) or unicodedata.combining(c)]


def texts():
    bases = {chr(int(part, 16)) for c in parts() for part in unicodedata.decomposition(c).split() if part[0] != "<"}
    kinds = (parts(), sorted(bases), HANGUL)
    return st.text(st.one_of(*map(st.sampled_from, kinds), st.characters()), max_size=8)


TEXTS = st.deferred(texts)


@pytest.fixture(scope="module")
def theirs():
    normalizers = pytest.importorskip("tokenizers.normalizers", reason="the library that is compared with is missing")
    return {form: getattr(normalizers, form)().normalize_str for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
def test_every_character_as_in_tokenizers(theirs, form):
    assert [c for c in parts() if theirs[form](c) != normal(c, form)] == []
    for start in range(0, len(characters()), 256):
        text = "\n".join(characters()[start : start + 256])  # across the end of a line nothing is put together or moved
        assert theirs[form](text) == normal(text, form), hex(ord(text[0]))


@given(TEXTS)
@example("\U00011935\U00011930")  # put together since Unicode 13
@example("a\U00011943\u0301")  # a mark of Unicode 13, across which nothing moves
@example("\u32ff")  # Unicode 12.1
def test_texts_as_in_tokenizers(theirs, text):
    for form in FORMS:
        assert normal(text, form) == theirs[form](text), form


@pytest.mark.parametrize("form", FORMS)
def test_what_is_newer_than_the_tables_stays(form):
    for text in ("\u32ff", "\U00010781", "\U00011935\U00011930", "\u0f71\U0001e6e3\u0f72", "\ua7f1", "\U00016d63"):
        assert normal(text, form) == text


@pytest.mark.parametrize("form", FORMS)
@given(TEXTS)
def test_a_text_of_the_tables_characters_as_python_has_it(form, text):
    ranges = [tuple(int(end, 16) for end in part.split("-")) for part in CHANGED.split()]
    old = "".join(c for c in text if any(ends[0] <= ord(c) <= ends[-1] for ends in ranges))
    assert normal(old, form) == unicodedata.normalize(form, old)
    assert normal(normal(text, form), form) == normal(text, form)
