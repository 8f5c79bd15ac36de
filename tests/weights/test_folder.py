"""Model folders: what loads, to the same bits however it is stored, and what is refused, with what sentence."""

import hashlib
import json
import os

import numpy as np
import pytest
from helpers.model_folders import refusal, stored, write, write_shards
from helpers.small_models import small_config, small_gpt
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.models import GPT
from llmtrace.storage import digest, save, weights_hash
from llmtrace.trace.checksum import checksum
from llmtrace.weights import save_folder
from llmtrace.weights.gpt import GPT2

SHAPES = GPT2.shapes(small_config())


def same(model, other):
    assert model.config == other.config
    assert list(model.weights) == list(other.weights)
    for name, weight in model.weights.items():
        assert weight.data.dtype == other.weights[name].data.dtype
        np.testing.assert_array_equal(weight.data.view("u4"), other.weights[name].data.view("u4"))
    assert weights_hash(model.weights) == weights_hash(other.weights)
    return True


# ---- what loads -----------------------------------------------------------------------------------------------------


def test_float32_stays_in_the_file(tmp_path):
    model = llmtrace.load(write(tmp_path / "a"))
    for weight in model.weights.values():
        base = weight.data
        while isinstance(base, np.ndarray):
            base = base.base
        assert "mmap" in repr(base) or "mmap" in repr(getattr(base, "obj", None))
        assert weight.data.flags.aligned
        assert not weight.data.flags.writeable


def test_misaligned_data_loads(tmp_path):
    folder = write(tmp_path / "a")
    data = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].rstrip()
    header += b" " * (-len(header) % 4 + 1)
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + data[8 + length :])
    model = llmtrace.load(folder)
    assert all(weight.data.flags.aligned for weight in model.weights.values())
    assert same(model, llmtrace.load(write(tmp_path / "b")))


@pytest.mark.parametrize("dtype", ["F16", "F64"])
def test_other_types_become_float32(tmp_path, dtype):
    short = {name: array.astype(np.float16) for name, array in stored().items()}
    wide = {name: array.astype(np.float32) for name, array in short.items()}
    other = short if dtype == "F16" else {name: array.astype(np.float64) for name, array in short.items()}
    assert same(llmtrace.load(write(tmp_path / "a", other)), llmtrace.load(write(tmp_path / "b", wide)))


def test_float16_matrices_stay_as_they_are(tmp_path):
    """Looked at first, then multiplied: nothing of them is kept as float32, and the run has the same bits."""
    short = {name: array.astype(np.float16) for name, array in stored().items()}
    model = llmtrace.load(write(tmp_path / "m", short))
    wide = llmtrace.load(write(tmp_path / "w", {name: array.astype(np.float32) for name, array in short.items()}))
    assert weights_hash(model.weights) == weights_hash(wide.weights)
    assert checksum(model.trace([0, 2, 1])) == checksum(wide.trace([0, 2, 1]))
    matrices = {w.name: w for name, w in model.weights.items() if len(w.shape) == 2 and "position" not in name}
    assert len(matrices) == 6 * model.config.blocks + 1
    assert all(weight.packed(name == "embed.token.weight").width for name, weight in matrices.items())


def test_bfloat16_becomes_float32(tmp_path):
    halves = {name: array.view("<u4") >> 16 for name, array in stored().items()}
    entries, data = {}, b""
    for name, half in halves.items():
        entries[name] = {"dtype": "BF16", "shape": half.shape, "data_offsets": [len(data), len(data) + 2 * half.size]}
        data += half.astype("<u2").tobytes()
    text = json.dumps(entries).encode()
    folder = write(tmp_path / "a")
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    wide = {name: (half << 16).view(np.float32) for name, half in halves.items()}
    assert same(llmtrace.load(folder), llmtrace.load(write(tmp_path / "b", wide)))


def test_prefixes_and_masks_of_old_files(tmp_path):
    old = {f"transformer.{name}": array for name, array in stored().items()}
    for i in range(2):
        old[f"transformer.h.{i}.attn.bias"] = np.tril(np.ones((1, 1, 11, 11), bool))
        old[f"transformer.h.{i}.attn.masked_bias"] = np.array(-np.inf, np.float32)
    assert same(llmtrace.load(write(tmp_path / "a", old)), llmtrace.load(write(tmp_path / "b")))


def test_sharded_is_single(tmp_path):
    write_shards(tmp_path / "a", stored())
    assert same(llmtrace.load(tmp_path / "a"), llmtrace.load(write(tmp_path / "b")))


def test_links_as_in_the_cache_of_the_hub(tmp_path):
    blobs = write(tmp_path / "blobs")
    folder = tmp_path / "models--x" / "snapshots" / "0123"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(blobs / name)
    assert same(llmtrace.load(folder), llmtrace.load(blobs))
    assert "did you mean " in refusal(tmp_path / "models--x")


def test_a_file_is_loaded_with_the_config_beside_it(tmp_path):
    folder = write(tmp_path / "a")
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    assert llmtrace.load(folder / "other.safetensors").config == small_config()
    assert "other.safetensors" in refusal(folder)


HEAD = np.ones((3, 12), np.float32)


@pytest.mark.parametrize(
    ("tie", "head", "tied"),
    [
        (None, None, True),
        (True, None, True),
        (None, HEAD, False),
        (False, HEAD, False),
        (None, stored()["wte.weight"], True),
        (True, stored()["wte.weight"], True),
        (False, stored()["wte.weight"], False),
    ],
)
def test_tied_or_not(tmp_path, tie, head, tied):
    arrays = stored() if head is None else stored(**{"lm_head.weight": head})
    model = llmtrace.load(write(tmp_path / "a", arrays, tie_word_embeddings=tie))
    assert (model.weights["logits.weight"] is model.weights["embed.token.weight"]) == tied
    if head is not None:
        np.testing.assert_array_equal(model.weights["logits.weight"].data, head)
    save_folder(model, tmp_path / "b")
    again = llmtrace.load(tmp_path / "b")
    assert same(again, model)
    assert (again.weights["logits.weight"] is again.weights["embed.token.weight"]) == tied


def test_contradictions_about_tying(tmp_path):
    head = stored(**{"lm_head.weight": HEAD})
    assert "differs from wte.weight" in refusal(write(tmp_path / "a", head, tie_word_embeddings=True))
    assert "lm_head.weight is missing" in refusal(write(tmp_path / "b", tie_word_embeddings=False))


@pytest.mark.parametrize("epsilon", [None, 1e-5, 1e-12, 1e-3, 0.1, 1])
def test_every_norm_adds_what_the_config_says(tmp_path, epsilon):
    """Loaded, traced, computed without a trace, and saved again."""
    model = llmtrace.load(write(tmp_path / "a", layer_norm_epsilon=epsilon))
    used = {step.name: step.settings["epsilon"] for step in model.trace([0, 2, 1]).steps if step.op == "layer_norm"}
    norms = ["ln_f", *(f"block.{i}.ln_{n}" for i in (0, 1) for n in (1, 2))]
    assert used == dict.fromkeys(norms, 1e-5 if epsilon is None else float(epsilon))
    save_folder(model, tmp_path / "b")
    again = llmtrace.load(tmp_path / "b")
    assert same(again, model)
    np.testing.assert_array_equal(again.logits([0, 2, 1]), model.trace([0, 2, 1]).tensor("logits"))
    if epsilon == 0.1:
        assert (llmtrace.load(write(tmp_path / "c")).logits([0, 2, 1]) != again.logits([0, 2, 1])).any()


# ---- saving ---------------------------------------------------------------------------------------------------------


def test_saving_and_loading_give_the_same_bits(tmp_path):
    model = small_gpt()
    for name in ("new/folder", "new/folder"):  # the second time over the first
        save_folder(model, tmp_path / name)
        assert same(llmtrace.load(tmp_path / name), model)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["config.json", "folder", "model.safetensors", "new"]
    assert {n.removeprefix("transformer.") for n in load_file(tmp_path / "new/folder/model.safetensors")} == set(SHAPES)


def test_the_tokenizer_is_saved_too(tmp_path):
    model = small_gpt()
    assert "tokenizer.json" not in saved_names(model, tmp_path / "a")
    model.tokenizer.save = lambda folder: (folder / "tokenizer.json").write_text(TOKENIZER)
    assert saved_names(model, tmp_path / "b") == {"config.json", "model.safetensors", "tokenizer.json"}
    assert llmtrace.load(tmp_path / "b").ids("CAB").tolist() == [2, 0, 1]


def saved_names(model, folder):
    save_folder(model, folder)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o666 & ~current_umask()}
    return {path.name for path in folder.iterdir()}


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


TOKENIZER = json.dumps({"model": {"type": "BPE", "vocab": {"A": 0, "B": 1, "C": 2}, "merges": []}})


def test_a_model_saves_over_the_file_that_it_lies_in(tmp_path):
    model = llmtrace.load(write(tmp_path / "a"))
    before = weights_hash(model.weights)
    save_folder(small_gpt(seed=1), tmp_path / "a")
    assert weights_hash(model.weights) == before != weights_hash(llmtrace.load(tmp_path / "a").weights)


def test_what_can_not_be_saved_leaves_nothing(tmp_path, monkeypatch):
    model = small_gpt()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="can't be written: "):
        save_folder(model, tmp_path / "file" / "deeper")
    with pytest.raises(ModelError, match="can't be written"):
        save_folder(model, tmp_path / "file")
    with pytest.raises(ModelError, match="object"):
        save({"a": np.array([object()])}, tmp_path / "object.safetensors")
    wide = {name: array.astype(np.float64) + 1e-12 for name, array in stored().items()}
    model = GPT(small_config(), GPT2.weights(small_config(), wide, "wide"))
    with pytest.raises(ModelError, match="holds float64 numbers"):
        save_folder(model, tmp_path / "wide")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match="No space left on device"):
        save_folder(small_gpt(), tmp_path / "full")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@given(
    st.permutations(range(3)), st.tuples(*[st.sampled_from([1, 2, -1, -2])] * 3), st.tuples(*[st.integers(0, 4)] * 3)
)
def test_turned_and_stepped_arrays_survive(tmp_path_factory, order, steps, shape):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape).transpose(order)
    array = array[tuple(slice(None, None, step) for step in steps)]
    path = tmp_path_factory.getbasetemp() / "turned.safetensors"
    save({"a": array, "b": array.T, "scalar": np.float32(3)[()].reshape(())}, path)
    found = load_file(path)
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["b"], array.T)
    assert found["scalar"].shape == ()


def test_the_hash_is_what_its_description_says(monkeypatch):
    monkeypatch.setattr(digest, "PIECE", 100)
    weights = small_gpt().weights
    lines = []
    for name in sorted(weights):
        data = weights[name].data
        shape = "x".join(map(str, data.shape))
        lines.append(f"{name} float32 {shape} {hashlib.sha256(data.astype('<f4').tobytes()).hexdigest()}\n")
    assert weights_hash(weights) == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert weights_hash(weights) != weights_hash(small_gpt(seed=1).weights)
