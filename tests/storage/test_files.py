"""Files that others made: every kind of damage and malice is one line, said at once and in little memory."""

import json
import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from helpers.refusing import MEGABYTES, forget_peak, peak

from llmtrace.errors import ModelError
from llmtrace.storage.files import LARGEST_JSON, open_regular, parse_json, read_bytes, read_json, read_text
from llmtrace.tokenizers import load_tokenizer

HOSTILE = {
    "a name twice": (b'{"a": 1, "b": {"c": 2, "c": 3}}', "'c' is there twice"),
    "a long name twice": (b'{"%b": 1, "%b": 2}' % (b"x" * 9000, b"x" * 9000), "is there twice"),
    "a number of 5,000 digits": (b'{"a": 1%b}' % (b"0" * 4999), "a number of 5000 digits"),
    "a fraction of 5,000 digits": (b'{"a": 0.%b}' % (b"1" * 4998), "a number of 5000 digits"),
    "beyond all": (b"[1e999]", "1e999 is beyond all numbers"),
    "NaN": (b"[NaN]", "NaN is not a number of JSON"),
    "infinity": (b"[-Infinity]", "-Infinity is not a number of JSON"),
    "half a character": (rb'{"a": ["\ud800"]}', r"U\+D800 in it is half a character"),
    "half a character as a name": (rb'{"\uDfff": 1}', r"U\+DFFF in it is half a character"),
    "depth": (b"[" * 100_000, "nested too deeply"),
    "depth of objects": (b'{"a":' * 100_000, "nested too deeply"),
    "no UTF-8": (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
    "a control": (b'{"a": "\x1b[2J"}', "Invalid control character"),
    "nothing": (b"   ", "Expecting value"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_json(tmp_path, content, message):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        read_json(path)
    said = str(caught.value).replace(str(path), "")
    assert said.isprintable()
    assert len(said) < 200


def test_a_small_file_takes_little_memory_whatever_it_may_have(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "a", 1 << 40) == b"abc"
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has files that say a size of 0")
def test_a_file_that_is_larger_than_it_says_is_read_to_its_end_or_the_limit():
    assert read_text(Path("/proc/self/status")).endswith("\n")
    with pytest.raises(ModelError, match="more than 0 MB"):
        read_bytes(Path("/proc/self/status"), 100)


def test_what_is_right_is_read():
    data = {"a": [1, -2.5e-3, None, True, "é\U0001f600", {"b": {}}], "": 10**99}
    assert parse_json(json.dumps(data).encode()) == parse_json(b"\xef\xbb\xbf" + json.dumps(data).encode()) == data
    assert parse_json(rb'"\ud83d\ude00\\ud800"') == "\U0001f600\\ud800"  # two halves are a whole, and this is only text


def in_time(call):
    """Runs it in a thread that is not waited for too long, and returns the error."""
    errors = []

    def run():
        try:
            call()
        except ModelError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return errors[0]


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json"]
)
@pytest.mark.parametrize("kind", ["pipe", "folder", "/dev/zero", "/dev/full", "sparse", "nowhere"])
def test_only_regular_files_of_a_sane_size(tmp_path, name, kind):
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    (tmp_path / "merges.txt").write_text("")
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    else:
        path.symlink_to(kind)
    measured = forget_peak()
    before = peak() if measured else 0
    error = in_time(lambda: load_tokenizer(tmp_path))
    if measured:
        assert peak() - before < MEGABYTES
    assert "can't be read" in error
    assert "\n" not in error


@pytest.mark.parametrize("read", [read_bytes, read_text])
def test_the_size_is_looked_at_first(tmp_path, read):
    path = tmp_path / "x"
    path.write_bytes(b"abcd")
    assert read(path, 4) in (b"abcd", "abcd")
    with pytest.raises(ModelError, match="more than 0 MB"):
        read(path, 3)
    assert LARGEST_JSON == 64 << 20


UNREADABLE = Path("/proc/self/mem")  # a regular file by its looks, whose first bytes nobody can read


@pytest.mark.skipif(not UNREADABLE.exists(), reason="there is no /proc/self/mem: only Linux has it")
@pytest.mark.parametrize(
    "read",
    [
        lambda file: file.read(),
        lambda file: file.read(9),
        lambda file: file.read1(9),
        lambda file: file.peek(1),
        lambda file: file.readline(9),
        lambda file: file.readinto(bytearray(9)),
        lambda file: list(file),
    ],
)
def test_what_can_t_be_read_is_said_by_whatever_reads(read):
    with open_regular(UNREADABLE) as file, pytest.raises(ModelError, match="/proc/self/mem can't be read"):
        read(file)
