"""Prompts of a corpus: every line of a file is an item or says why it is none; nothing ends the run."""

import hashlib
import json
from array import array

import numpy as np
import pytest
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.corpus.prompts import LONGEST, items
from llmtrace.errors import CorpusError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "text", "ids", "x"]), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"The king"', ("2", "The king")),
        ("[1, 2]", ("2", (1, 2))),
        ('{"text": "a", "id": "b"}', ("b", "a")),
        ('{"ids": [], "id": 7}', ("7", ())),
        ('{"text": "", "id": "", "more": null}', ("", "")),
        ('{"ids": [3], "Text": "b"}', ("2", (3,))),
    ],
)
def test_what_a_line_may_be(tmp_path, line, expected):
    file = tmp_path / "p.jsonl"
    file.write_text(f"\n{line}\n")
    assert [(item.id, item.prompt, item.reason) for item in items(file)] == [(*expected, "")]
    assert items([None, json.loads(line)])[1].prompt == expected[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"oops", "not valid JSON"),
        (b'"\xff"', "not valid JSON: byte"),
        (b'"\\ud800"', "half a character"),
        (b"[" * 100_000, "nested too deeply"),
        (b"NaN", "not valid JSON"),
        (b"5", "neither a text nor a list"),
        (b"[1.5]", "neither a text nor a list"),
        (b"[true]", "neither a text nor a list"),
        (b'["a", "b"]', "neither a text nor a list"),
        (b"{}", 'give it a "text"'),
        (b'{"id": 2, "txt": "a"}', 'give it a "text"'),
        (b'{"text": "a", "ids": [1]}', "not both"),
        (b'{"text": "a", "ids": null}', "not both"),
        (b'{"text": [1, 2]}', "its text is no text"),
        (b'{"text": []}', "its text is no text"),
        (b'{"text": null}', "its text is no text"),
        (b'{"ids": "abc"}', "its ids are not a list of whole numbers"),
        (b'{"ids": ""}', "its ids are not a list of whole numbers"),
        (b'{"ids": [1, "a"]}', "its ids are not a list of whole numbers"),
        (b'{"ids": [true]}', "its ids are not a list of whole numbers"),
        (b'{"ids": [[1]]}', "its ids are not a list of whole numbers"),
        (b'{"ids": {"1": 2}}', "its ids are not a list of whole numbers"),
        (b'{"ids": 5}', "its ids are not a list of whole numbers"),
        (b'{"text": "a", "id": null}', "its id is neither"),
        (b'{"text": "a", "id": true}', "its id is neither"),
        (b'{"text": "a", "id": 1.0}', "its id is neither"),
        (b'{"text": "a", "id": "a", "id": "b"}', "not valid JSON"),
    ],
)
def test_a_bad_line_is_an_item_with_its_reason(tmp_path, line, reason):
    file = tmp_path / "p.jsonl"
    file.write_bytes(b'"good"\n' + line + b'\n"good too"')
    first, bad, last = items(file)
    assert (first.prompt, bad.prompt, last.prompt) == ("good", None, "good too")
    assert (bad.id, bad.number) == ("2", 2)
    assert reason in bad.reason
    assert bad.reason.isprintable()


def test_whole_numbers_are_ids_however_they_are_given():
    rows = [
        [1, 2, 3],
        (1, 2, 3),
        range(1, 4),
        [np.int64(1), np.uint8(2), 3],
        array("H", [1, 2, 3]),
        bytearray(b"\1\2\3"),
    ]
    rows += [np.array([1, 2, 3]), np.array([1, 2, 3], np.uint64), np.array([[1, 0], [2, 0], [3, 0]], ">i2")[:, 0]]
    for row in rows:
        assert small_gpt("ABCD").ids(row).tolist() == [1, 2, 3], row
        plain, named = items([row, {"id": np.int64(7), "ids": row}])
        assert (plain.prompt, named.prompt, named.id) == ((1, 2, 3), (1, 2, 3), "7"), row
        assert {type(each) for item in (plain, named) for each in item.prompt} == {int}, row
        assert plain.digest == named.digest == items([[1, 2, 3]])[0].digest, row


def test_ids_are_no_text_that_looks_like_them():
    text, ids = items(["1 2 3", [1, 2, 3]])
    assert text.digest == hashlib.sha256(b"1 2 3").hexdigest()
    assert ids.digest == hashlib.sha256(b"\xff1 2 3").hexdigest()


def test_what_is_no_whole_number_is_no_id():
    rows = [
        [True],
        [np.True_, 1],
        [1.0],
        [np.float32(1)],
        [None],
        ["a"],
        [[1]],
        [np.array([1])],
        b"ab",
        {1, 2},
        3,
        None,
    ]
    rows += [np.array([1.0]), np.array([True]), np.array([[1]]), np.array(1), np.array(["a"]), iter([1])]
    for row in rows:
        plain, named = items([row, {"ids": row}])
        assert (plain.prompt, named.prompt) == (None, None), row
        assert plain.reason == "it is neither a text nor a list of the ids of tokens", row
        assert named.reason == "its ids are not a list of whole numbers", row


@pytest.mark.parametrize("prompts", [None, 3, 1.5, b"a king", {"id": "a", "text": "a king"}])
def test_what_is_neither_a_file_nor_several_prompts_is_refused(prompts):
    with pytest.raises(CorpusError, match="the path of a file, or several prompts, not"):
        items(prompts)


def test_a_prompt_without_an_id_takes_none_from_another_one():
    found = items([{"id": "3", "text": "a"}, "b", "c", {"id": "#3", "text": "d"}, {"id": 6, "text": "e"}, None])
    assert [(item.id, item.prompt) for item in found[:-1]] == [
        ("3", "a"),
        ("2", "b"),
        ("##3", "c"),
        ("#3", "d"),
        ("6", "e"),
    ]
    assert (found[-1].id, found[-1].prompt) == ("#6", None)


@given(st.lists(st.none() | st.sampled_from(["1", "2", "3", "#2", "##2"]), max_size=6))
def test_whether_a_prompt_without_an_id_runs_depends_on_no_other_one(ids):
    found = items(["x" if name is None else {"id": name, "text": "x"} for name in ids])
    assert all(item.prompt == "x" for item, name in zip(found, ids, strict=True) if name is None)
    assert [item.id for item, name in zip(found, ids, strict=True) if name is not None] == [*filter(None, ids)]


@given(st.lists(JSON, max_size=8))
def test_of_anything_there_is_an_item_for_each_and_no_id_runs_twice(prompts):
    found = items(prompts)
    assert [item.number for item in found] == list(range(1, len(prompts) + 1))
    ran = [item.id for item in found if item.prompt is not None]
    assert len(ran) == len(set(ran))
    assert all((item.prompt is None) == bool(item.reason) for item in found)
    assert all(len(item.digest) == (64 if item.prompt is not None else 0) for item in found)


@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_an_id_that_comes_again_is_told_where_it_came_first(ids):
    for n, item in enumerate(items([{"id": name, "text": "x"} for name in ids]), 1):
        first = ids.index(item.id) + 1
        assert item.reason == ("" if first == n else f"the id {item.id!r} is that of prompt {first} already")


@pytest.mark.parametrize("length", [1, 2, 63, 64])
def test_a_line_of_the_longest_length_is_read(tmp_path, monkeypatch, length):
    monkeypatch.setattr("llmtrace.corpus.prompts.LONGEST", length + 3)  # with quotes and the end of the line
    file = tmp_path / "p.jsonl"
    file.write_bytes(b'"%s"\n' % (b"x" * length))
    assert [item.prompt for item in items(file)] == ["x" * length]
    file.write_bytes(b'"%s"\n' % (b"x" * (length + 1)))
    with pytest.raises(CorpusError, match="line 1 has more than"):
        items(file)


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="No such file"):
        items(tmp_path / "none.jsonl")
    with pytest.raises(CorpusError, match="not a regular file"):
        items(tmp_path)
    (tmp_path / "long.jsonl").write_bytes(b'"' + b"x" * LONGEST + b'"')
    with pytest.raises(CorpusError, match="line 1 has more than 16 MB"):
        items(tmp_path / "long.jsonl")
