"""Damage to files of weights, planted and random: noticed, or without consequence."""

import json

import numpy as np
import pytest
from helpers.fresh import THOROUGH, examples
from helpers.model_folders import refusal, stored, write_shards
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as load_bytes
from safetensors.numpy import save as save_bytes
from safetensors.numpy import save_file

from llmtrace.errors import ModelError
from llmtrace.storage import header
from llmtrace.storage.stored import WIDENED, open_tensors
from llmtrace.weights.shards import read_folder_tensors

# ---- shards ---------------------------------------------------------------------------------------------------------

INDEX = "model.safetensors.index.json"


def change_index(folder, **changed):
    data = json.loads((folder / INDEX).read_text())
    (folder / INDEX).write_text(json.dumps({"weight_map": {**data["weight_map"], **changed}}))


def test_shards_that_are_not_there(tmp_path):
    files = sorted(set(write_shards(tmp_path / "a", stored()).values()))
    for file in files[1:]:
        (tmp_path / "a" / file).unlink()
    assert refusal(tmp_path / "a").endswith(f"lacks 2 of 3 files: {files[1]}, {files[2]}")


@pytest.mark.parametrize(
    "file", ["../a/x.safetensors", "/etc/passwd", "..", "", "sub/x", "a\\b", "C:x", "a\0b", "\x1b", "../" * 500]
)
def test_an_index_that_points_elsewhere(tmp_path, file):
    write_shards(tmp_path / "a", stored())
    change_index(tmp_path / "a", **{"wte.weight": file})
    assert "not the name of a file in its folder" in refusal(tmp_path / "a") or file == "\x1b"


def test_of_a_folder_with_both_the_single_file_counts(tmp_path):
    """As in transformers."""
    write_shards(tmp_path / "a", stored())
    save_file({name: array + 1 for name, array in stored().items()}, tmp_path / "a" / "model.safetensors")
    for name, tensor in read_folder_tensors(tmp_path / "a").items():
        assert np.array_equal(tensor.read(), stored()[name] + 1)


def test_an_index_that_disagrees_with_its_files(tmp_path):
    folder = tmp_path / "a"
    files = write_shards(folder, stored())
    first, second = sorted(set(files.values()))[:2]
    change_index(folder, **{"wte.weight": second})
    assert f"wte.weight is in {first}, but the index says {second}" in refusal(folder)
    assert f"wte.weight is not in {second}" in refusal(folder)
    write_shards(folder, stored())
    change_index(folder, invented=first)
    assert refusal(folder).endswith(f"don't agree: invented is not in {first}")
    write_shards(folder, stored())
    save_file({**read_all(folder / first), "more": np.zeros(1, np.float32)}, folder / first)
    assert refusal(folder).endswith(f"don't agree: more is in {first}, but the index does not list it")


def read_all(path):
    return {name: np.array(tensor.read()) for name, tensor in open_tensors(path)[0].items()}


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"weight_map": {}}', '{"weight_map": {"a": 1}}', '{"weight_map": []}']
)
def test_an_index_that_is_none(tmp_path, content):
    write_shards(tmp_path / "a", stored())
    (tmp_path / "a" / INDEX).write_text(content)
    assert "has no weight_map from tensors to files" in refusal(tmp_path / "a")


# ---- headers --------------------------------------------------------------------------------------------------------

ARRAYS = {
    "wte.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.arange(4, dtype=np.float16),
    "ids": np.arange(3, dtype=np.int64),
    "naïve \U0001f600": np.array(7, np.float32),
}
SMALL = save_bytes(ARRAYS, {"format": "pt", "note": 'quoted "[/] \\'})
HEADER_END = 8 + int.from_bytes(SMALL[:8], "little")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "x.safetensors"


def outcome(path, content):
    """Name → numbers, or the one line with which the file is refused."""
    path.unlink(missing_ok=True)  # some systems wait for the disk where a file is written over
    path.write_bytes(content)
    message = ""
    try:
        tensors, _ = open_tensors(path)
    except ModelError as error:
        message = str(error)
    if message:
        assert message.isprintable()
        assert len(message) < 600
        return message
    found = {}
    for name, tensor in tensors.items():
        if tensor.dtype in WIDENED:
            found[name] = tensor.read()
        else:
            with pytest.raises(ValueError, match="can be read"):
                tensor.read()
    return found


def same_numbers(found):
    """Whether what was read under a name of the original, if anything, is the original."""
    for name, array in found.items():
        if name in ARRAYS and not (array.shape == ARRAYS[name].shape and (array == ARRAYS[name]).all()):
            return False
    return True


def test_the_undamaged_file(path):
    assert outcome(path, SMALL).keys() == ARRAYS.keys() - {"ids"}
    assert same_numbers(outcome(path, SMALL))
    assert load_bytes(SMALL).keys() == ARRAYS.keys()


def test_every_truncation_is_refused(path):
    for length in range(len(SMALL)):
        assert isinstance(outcome(path, SMALL[:length]), str), length
    assert "belong to no tensor" in outcome(path, SMALL + b" ")


def test_every_change_of_one_byte_of_the_header():
    length = header.header_length(SMALL, len(SMALL))
    original = header.parse_header(SMALL[8 : 8 + length], len(SMALL) - 8 - length)
    alive = 0
    # What means something in JSON, and some of the others; all of them in a thorough run.
    tried = (
        {*range(256)}
        if settings().max_examples >= THOROUGH
        else {*b' !"0129:FU[\\]aefiu{}', 0, 9, 10, 0x7F, 0xC3, 0xFF}
    )
    for place in range(HEADER_END):
        content = bytearray(SMALL)
        flips = {SMALL[place] ^ 1 << bit for bit in range(8)}
        for byte in (tried | flips) - {SMALL[place]}:
            content[place] = byte
            try:
                length = header.header_length(content, len(content))
                found = header.parse_header(bytes(content[8 : 8 + length]), len(content) - 8 - length)
            except ValueError:
                continue
            alive += 1  # as where a space becomes another, or a name another name
            assert 8 + length == HEADER_END
            for name, entry in found.entries.items():
                if entry.dtype in WIDENED and name != "ids":  # others are refused when they are read
                    assert entry == original.entries.get(name, entry), (place, byte)
    assert alive


def test_some_changes_of_one_byte_through_the_file(path):
    for place in range(HEADER_END):
        for byte in (0x20, 0x22, 0x30, 0xFF):
            found = outcome(path, SMALL[:place] + bytes([byte]) + SMALL[place + 1 :])
            assert isinstance(found, str) or same_numbers(found), (place, byte)


@settings(max_examples=examples(300))
@given(st.data())
def test_any_damage(path, data):
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    outcome(path, bytes(content))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 40), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)
ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.one_of(st.sampled_from(["F32", "BF16", "U8", "F4", "?"]), JSON),
        "shape": st.one_of(st.lists(st.sampled_from([0, 1, 2, 4, 1 << 40, 1 << 63]), max_size=4), JSON),
        "data_offsets": st.one_of(st.tuples(*[st.sampled_from([0, 4, 8, 16])] * 2), JSON),
    }
)


@settings(max_examples=examples(200))
@given(st.dictionaries(st.text(max_size=4), st.one_of(ENTRY, ENTRY, JSON), max_size=4), st.sampled_from([0, 4, 8, 16]))
def test_any_header(path, entries, room):
    text = json.dumps(entries).encode()
    found = outcome(path, len(text).to_bytes(8, "little") + text + bytes(room))
    if not isinstance(found, str):  # whoever reads it sees all bytes once
        tensors = open_tensors(path)[0]
        assert sum(tensor.data.size for tensor in tensors.values()) == room


def described(*offsets, dtype="F32", shape=(1,)):
    entries = {f"t{i}": {"dtype": dtype, "shape": list(shape), "data_offsets": list(o)} for i, o in enumerate(offsets)}
    return json.dumps(entries).encode()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (described((0, 4), (0, 4)), "t1 overlaps the tensor before it"),
        (described((0, 4), (8, 12)), "t1 leaves a hole before it"),
        (described((4, 8)), "t0 leaves a hole before it"),
        (described((0, 4), (4, 8), (8, 12), (12, 16)), "its tensors take 16 bytes, but only 12 are there"),
        (described((0, 4)), "8 bytes at its end belong to no tensor"),
        (described((0, 8)), "t0 takes 4 bytes by its shape, 8 by its place"),
        (described((4, 0)), "are not where its data begins and ends"),
        (described((0, True)), "are not where its data begins and ends"),
        (described((0, 0), shape=(0, 1 << 59, 4)), "the shape of t0 is too large"),
        (described((0, 4), shape=(1.0,)), "not a short list of whole numbers"),
        (described((0, 4), shape=(1,) * 20), "not a short list of whole numbers"),
        (described((0, 4), dtype=4), "the dtype of t0 is not a text"),
        (b'{"a": 1}', "a is not described by dtype, shape and data_offsets"),
        (b'{"__metadata__": {"a": 1}}', "__metadata__ does not map names to texts"),
        (b'{"a": 1, "a": 1}', "'a' is there twice"),
        (b'{"a": 1' + b"1" * 5000 + b"}", "is not valid JSON"),
    ],
)
def test_planted_errors_of_a_header(text, sentence):
    with pytest.raises(ValueError, match="is ") as caught:
        header.parse_header(text, 12)
    assert sentence in str(caught.value)


def test_a_name_without_end_is_cut(path):
    message = outcome(path, (10_009).to_bytes(8, "little") + b'{"' + b"x" * 10_000 + b'": 1}  ')
    assert "xxx…xxx" in message
