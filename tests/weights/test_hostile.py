"""Every file of a catalogue of hostile ones is refused in one harmless line, within a second and 64 MB beyond its own size."""

import json
import os

import pytest
from helpers import hostile
from helpers.fresh import quick
from helpers.model_folders import CONFIG, write
from helpers.refusing import expect_refused
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.tokenizers import load_tokenizer

TOKENIZERS = ["vocab.json", "tokenizer.json"]
OF_MANY = [said for said in hostile.JSON if said.startswith("many ")]
"""What takes longest to read: both files of tokenizers are read by the same function, and share these in a quick run."""


def test_hostile_weights(tmp_path):
    folder = write(tmp_path / "m")
    for said, content in hostile.weight_files():
        (folder / "model.safetensors").write_bytes(content)
        expect_refused(said, llmtrace.load, folder, len(content))


@pytest.mark.parametrize("file", ["config.json", "model.safetensors.index.json", "tokenizer.json", "vocab.json"])
def test_hostile_json(tmp_path, file):
    folder = write(tmp_path / "m")
    if file == "model.safetensors.index.json":
        (folder / "model.safetensors").unlink()
    if file == "vocab.json":
        (folder / "merges.txt").write_text("#version: 0.2\na b\n")
    read = load_tokenizer if file in TOKENIZERS else llmtrace.load
    for said, content in hostile.JSON.items():
        if quick() and file in TOKENIZERS and said in OF_MANY and OF_MANY.index(said) % 2 != TOKENIZERS.index(file):
            continue
        (folder / file).write_bytes(content)
        expect_refused(said, read, folder, len(content))


@pytest.mark.parametrize("key", [key for key in CONFIG if key != "model_type"])
def test_hostile_settings(tmp_path, key):
    for value in hostile.NUMBERS:
        if value is not None:
            folder = write(tmp_path / "m", **{key: value})
            expect_refused(f"{key} = {str(value)[:60]}", llmtrace.load, folder, 0)


@pytest.mark.parametrize(
    "files",
    [
        {f"t{i}": f"model-{i:06}.safetensors" for i in range(30_000)},
        {f"t{i}": "model.safetensors" for i in range(30_000)},
        {"a": "../model.safetensors"},
        {"a": "/etc/passwd"},
        {"a": "\x1b[31m"},
        {"a": "x" * 100_000},
        {"\x1b[31m\n": "model-1.safetensors"},
        {"x" * 100_000: "model-1.safetensors"},
        {"a": None},
        {"a": ["model-1.safetensors"]},
        {},
        [],
        "model-1.safetensors",
    ],
    ids=range(13),
)
def test_hostile_indexes(tmp_path, files):
    folder = write(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    content = json.dumps({"metadata": {}, "weight_map": files})
    (folder / "model.safetensors.index.json").write_text(content)
    expect_refused(str(files)[:60], llmtrace.load, folder, len(content))


def test_an_index_of_many_files_that_are_there(tmp_path):
    """The time grows with the number of files and names, not with their product."""
    folder = write(tmp_path / "m")
    empty = hostile.safetensors(b"{}", b"")
    files = {f"t{i}": f"model-{i:06}.safetensors" for i in range(500)}
    (folder / "model.safetensors").unlink()
    for file in files.values():
        (folder / file).write_bytes(empty)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    with pytest.raises(ModelError, match=r"t7 is not in model-000007\.safetensors; and 492 more"):
        llmtrace.load(folder)


def test_hostile_traces(tmp_path):
    good, bad = tmp_path / "good.trace", tmp_path / "bad.trace"
    small_gpt().trace([0, 2, 1]).save(good, with_weights=True)
    count = 0
    for said, content in hostile.trace_files(good):
        bad.write_bytes(content)
        expect_refused(said, llmtrace.open, bad, len(content))
        count += 1
        os.unlink(bad)
    assert count > 100
