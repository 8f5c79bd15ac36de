"""The pages on the trace file and on the arithmetic suffice: a reader written from them computes a trace again."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import plain_reader
from safetensors.numpy import load_file

import llmtrace
from llmtrace.models import KVCache


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("traces") / "x.trace"
    llmtrace.load().trace("The king had a child, a girl.").save(path, with_weights=True)
    return path


def wrong(about, tensors):
    for step in about["steps"]:
        again, stored = plain_reader.recompute(step, tensors), tensors[step["name"]]
        if (again.dtype, again.shape, again.tobytes()) != (stored.dtype, stored.shape, stored.tobytes()):
            yield step["name"]


def test_every_tensor_is_computed_again_to_the_same_bits(path):
    about, tensors = plain_reader.read(path)
    assert about["text"] == "The king had a child, a girl."
    assert {step["op"] for step in about["steps"]} == set(plain_reader.OPS) - {"concatenate"}
    assert {step["name"] for step in about["steps"]} | set(about["given"]) == {n for n in tensors if ":" not in n}
    assert not list(wrong(about, tensors))


def test_a_batch_and_what_a_cache_held_are_computed_again(tmp_path):
    model, cache = llmtrace.load(), KVCache()
    model.trace(["The cat", "The dog"], cache)
    model.trace([" sat", " had a"], cache).save(tmp_path / "b.trace", with_weights=True)
    about, tensors = plain_reader.read(tmp_path / "b.trace")
    assert "concatenate" in {step["op"] for step in about["steps"]}
    assert tensors["block.0.attn.scores"].shape == (2, 4, 2, 5)
    assert not list(wrong(about, tensors))


def test_a_tensor_off_by_one_bit_is_noticed(path):
    about, tensors = plain_reader.read(path)
    assert len({step["op"] for step in about["steps"]}) >= 10
    for step in about["steps"]:
        damaged = tensors[step["name"]].copy()
        damaged.view(np.uint8).reshape(-1)[0] ^= 1
        assert list(wrong({"steps": [step]}, tensors | {step["name"]: damaged})) == [step["name"]]


def test_a_flipped_byte_is_noticed(path, tmp_path):
    good = path.read_bytes()
    begin = 8 + int.from_bytes(good[:8], "little")
    places = np.random.default_rng(0).integers(0, len(good), 60)
    for place in [0, 8, begin - 1, begin, len(good) - 33, len(good) - 32, len(good) - 1, *places]:
        bad = bytearray(good)
        bad[place] ^= 1
        (tmp_path / "bad.trace").write_bytes(bad)
        with pytest.raises(ValueError, match="does not fit"):
            plain_reader.read(tmp_path / "bad.trace")


def test_the_weights_of_a_gpt_2_are_where_the_page_says():
    """Every weight of a run is found in its model's file by the table of docs/trace-file.md alone."""
    root = Path(__file__).parents[2]
    page = (
        (root / "docs" / "trace-file.md")
        .read_text(encoding="utf-8")
        .partition("## Weights that are not in the file")[2]
    )
    stored, found = load_file(root / "llmtrace" / "data" / "storyteller" / "model.safetensors"), {}
    stored = {name.removeprefix("transformer."): array for name, array in stored.items()}
    for row in re.findall(r"^\| `.*$", page.partition("## What")[0], re.MULTILINE):
        ours, theirs = (re.findall("`([^`]+)`", cell) for cell in row.strip("| ").split(" | "))
        third = next((n for n, word in enumerate(["first", "second", "last"]) if f"the {word} third" in row), None)
        for mine, its in zip(ours, theirs, strict=False):
            mine, its = (x if "." in x[1:] else y[0].rpartition(".")[0] + x for x, y in ((mine, ours), (its, theirs)))
            for n in range(99 if "N." in row else 1):
                if its.replace("N", str(n)) in stored:
                    array = stored[its.replace("N", str(n))]
                    found[mine.replace("N", str(n))] = array if third is None else np.split(array, 3, axis=-1)[third]
    found.setdefault("logits.weight", found["embed.token.weight"])
    weights = llmtrace.load().weights
    assert set(found) == set(weights)
    assert all(np.array_equal(found[name], weight.data) for name, weight in weights.items())
