"""Texts in parts: however a text is cut up on the way, its pieces stay the same; what is no text is refused with its place."""

import os
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.errors import TrainingError
from llmtrace.tokenizers import read_texts, train_bpe
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.training.reading import cut_safely, parts_of

SPLITTER = Splitter()
texts = st.text("ab'sdrevlm1 \n\t.!é中😀\u0301\u00a0\u3000\u2028½", max_size=60) | st.text(max_size=40)


def pieces(parts):
    return [piece for part in parts for piece in SPLITTER.pieces(part)]


@given(texts, st.integers(1, 8))
@example("don't  we'll  x", 1)
@example("   \n  a  ", 1)
@example("1a1 a!a'", 2)
def test_parts_have_the_pieces_of_the_whole(text, size):
    parts = list(parts_of(text, size))
    assert "".join(parts) == text
    assert all(parts)
    assert pieces(parts) == SPLITTER.pieces(text)


@given(texts, texts)
def test_where_it_is_cut_what_comes_later_changes_nothing(before, after):
    """Stronger: all parts but the last are pieces already, whatever follows."""
    first = list(cut_safely([before]))[:-1]
    done = pieces(first)
    assert SPLITTER.pieces(before + after)[: len(done)] == done


def test_that_comparison_sees_a_wrong_cut():
    for text, place in [("don't", 4), ("a  b", 3), ("ab", 1), ("12", 1), ("!!", 1), ("a b", 2), ("'re", 2)]:
        assert pieces([text[:place], text[place:]]) != SPLITTER.pieces(text)


def test_texts_without_spaces_are_cut_too():
    text = "中文,没有空格。" * 1000
    assert max(map(len, parts_of(text, 100))) <= 110


@given(st.lists(texts, min_size=1, max_size=3), st.integers(1, 7))
def test_files_are_read_whole(tmp_path_factory, contents, size):
    folder = tmp_path_factory.mktemp("texts")
    paths = [folder / f"{number}.txt" for number in range(len(contents))]
    for path, text in zip(paths, contents, strict=True):
        path.write_bytes(text.encode())
    whole = [text.removeprefix("\ufeff") for text in contents]
    assert "".join(read_texts(paths, size)) == "".join(whole)
    assert pieces(read_texts(paths, size)) == [piece for text in whole for piece in SPLITTER.pieces(text)]
    assert "".join(read_texts(str(paths[0]), size)) == whole[0]


def test_line_ends_stay_and_a_byte_order_mark_goes(tmp_path):
    path = tmp_path / "windows.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n\xef\xbb\xbf")
    for size in (1, 2, 99):
        assert "".join(read_texts(path, size)) == "a\r\nb\r\n\ufeff"


@pytest.mark.parametrize(
    ("content", "place", "byte"),
    [
        (b"M\xfcnchen", 1, 0xFC),
        (b"\xff\xfea\0", 0, 0xFF),
        ("中".encode() * 500 + b"\x80", 1500, 0x80),
        ("中".encode() * 500 + b"\xe4\xb8", 1500, 0xE4),  # half a character at the end
        (b"ok \xed\xa0\x80", 3, 0xED),  # half of a pair
    ],
)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_bytes_that_are_not_utf8_are_named(tmp_path, content, place, byte, size):
    path = tmp_path / "latin.txt"
    path.write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        list(read_texts([path], size))
    said = f"{path} is not UTF-8: byte {place}, counted from 0, is 0x{byte:02X}; convert the file first"
    assert str(caught.value) == said


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nowhere.txt", tmp_path, tmp_path / "pipe"):
        with pytest.raises(TrainingError, match="can't be read"):
            next(read_texts(path))


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.txt").touch()
    assert list(read_texts(tmp_path / "empty.txt")) == []
    with pytest.raises(TrainingError, match="the texts are empty"):
        train_bpe(read_texts(tmp_path / "empty.txt"), 300)


def test_a_file_larger_than_the_memory_it_takes(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        for _ in range(2):
            file.write(b"The king had a child. " * 10_000)
    list(read_texts(path, 1 << 12))  # what is loaded at the first use is not counted
    tracemalloc.start()
    try:
        trained = train_bpe(read_texts(path, 1 << 12), 300)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()
    assert trained.bytes == path.stat().st_size == 440_000
    assert trained.merges[0].count >= 20_000
