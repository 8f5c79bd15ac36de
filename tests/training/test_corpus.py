"""Texts that consist of documents: where each ends, however the text is cut while it is read, and across files."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.tokenizers import CharacterTokenizer
from llmtrace.training import Corpus
from llmtrace.training.corpus import documents, id_type


@given(st.lists(st.text("ab\n", max_size=8), max_size=8), st.sampled_from(["\n\n", "a", "aba", "ab"]))
def test_documents_do_not_depend_on_how_a_text_is_cut(parts, separator):
    *whole, rest = "".join(parts).split(separator)
    expected = [document + separator for document in whole] + ([rest] if rest else [])
    assert list(documents(parts, separator)) == expected


@pytest.mark.parametrize("separator", ["|", ". ", "<end>"])
def test_a_separator_may_be_cut_anywhere(separator):
    text = f"a{separator}b{separator}c"
    for n in range(len(text) + 1):
        assert list(documents([text[:n], text[n:]], separator)) == [f"a{separator}", f"b{separator}", "c"]


def test_every_id_fits_its_type():
    assert [id_type(vocabulary).itemsize for vocabulary in (2, 65_536, 65_537)] == [2, 2, 4]


def test_a_document_ends_where_its_file_ends(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[0].write_text("a.b")
    paths[1].write_text("c.d.")
    tokenizer = CharacterTokenizer({letter: i for i, letter in enumerate("abcd.")})
    corpus = Corpus.write(tmp_path / "tokens", paths, tokenizer, ".")
    assert tokenizer.decode(corpus.ids(tmp_path / "tokens", 5).tolist()) == "a.bc.d."
    np.testing.assert_array_equal(corpus.starts(tmp_path / "tokens"), [0, 2, 3, 5])
    assert corpus.tokens == 7
    assert corpus.files == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
