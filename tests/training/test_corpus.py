"""Texts that consist of documents: where each ends, however the text is cut while it is read, and across files."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.tokenizers import CharacterTokenizer
from llmtrace.training import Corpus
from llmtrace.training.corpus import documents


@given(st.lists(st.text("ab\n", max_size=8), max_size=8), st.sampled_from(["\n\n", "a", "aba", "ab"]))
def test_documents_do_not_depend_on_how_a_text_is_cut(parts, separator):
    *whole, rest = "".join(parts).split(separator)
    expected = [document + separator for document in whole] + ([rest] if rest else [])
    assert list(documents(parts, separator)) == expected


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
