"""The pages on the trace file and on the arithmetic suffice: a reader written from them computes a trace again."""

import numpy as np
import pytest
from helpers import plain_reader

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
        assert step["name"] in wrong(about, tensors | {step["name"]: damaged})


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
