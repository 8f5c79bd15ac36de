import copy
import dataclasses
import pickle

import numpy as np
import pytest
from helpers.gguf_files import write_gpt2
from helpers.model_folders import refusal, write
from helpers.small_models import small_config, tensors

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.explain.verify import verify
from llmtrace.storage.digest import weights_hash
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.trace.checksum import checksum

WIDE = dataclasses.replace(small_config(), width=64, heads=2, hidden=128)


def test_the_same_model_as_a_folder(tmp_path):
    """What llama.cpp's converter writes of a folder has every bit of it."""
    folder = llmtrace.load(write(tmp_path / "m"))
    file = llmtrace.load(write_gpt2(tmp_path / "m.gguf"))
    assert file.config == folder.config
    assert {n: w.data.tobytes() for n, w in file.weights.items()} == {
        n: w.data.tobytes() for n, w in folder.weights.items()
    }
    assert file.trace([0, 2, 1])["logits"].output.tobytes() == folder.trace([0, 2, 1])["logits"].output.tobytes()


def test_known_by_its_first_bytes(tmp_path):
    model = llmtrace.load(write_gpt2(tmp_path / "model.bin"))
    assert model.name == "model"


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_1", "Q5_0"])
def test_quantised_weights_are_near_to_what_they_were(tmp_path, kind):
    model = llmtrace.load(write_gpt2(tmp_path / "m.gguf", WIDE, kind=kind))
    original = tensors(WIDE)["h.0.mlp.c_fc.weight"]
    found = model.weights["block.0.mlp.up.weight"].data
    assert not np.array_equal(found, original)
    assert np.abs(found - original).max() < {"F16": 1e-3, "BF16": 1e-2, "Q8_0": 1e-2, "Q4_1": 0.1, "Q5_0": 0.1}[kind]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([("general.type", "model"), ("gpt2.rope.scaling.type", "yarn")], "rope.scaling.type = 'yarn'"),
        ([("gpt2.expert_count", 8)], "expert_count = 8, which is not supported"),
        ([("gpt2.attention.clamp_kqv", 8.0)], "attention.clamp_kqv = 8.0, which is not supported"),
        ([("split.count", 2)], "one part of several"),
        ([("tokenizer.ggml.model", "rwkv")], "tokenizer of the kind 'rwkv'; only"),
    ],
)
def test_settings_that_are_not_supported(tmp_path, settings, said):
    assert said in refusal(write_gpt2(tmp_path / "m.gguf", settings=settings))


def test_settings_that_change_nothing(tmp_path):
    llmtrace.load(write_gpt2(tmp_path / "m.gguf", settings=[("gpt2.vocab_size", 3), ("gpt2.expert_count", 0)]))


def test_other_kinds_are_refused_by_name(tmp_path):
    path = write_gpt2(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes().replace(b"gpt2", b"gptj"))
    assert "a model of the kind 'gptj', but only 'gpt2', 'llama', 'qwen2' can be read" in refusal(path)


def test_a_tensor_that_is_not_part_of_it(tmp_path):
    arrays = tensors(small_config()) | {"wte.bias": np.zeros(3, np.float32)}
    with pytest.raises(ModelError, match=r"wte\.bias is not part of this GPT-2"):
        llmtrace.load(write_gpt2(tmp_path / "m.gguf", arrays=arrays))


@pytest.mark.parametrize(("stated", "begin"), [(2, 2), (0, 0), (999, None), ("2", None)])
def test_the_beginning_of_text_is_read(tmp_path, stated, begin):
    model = llmtrace.load(write_gpt2(tmp_path / "a.gguf", settings=[("tokenizer.ggml.bos_token_id", stated)]))
    assert model.begin == begin


def as_float32(model):
    """The same model, its weights widened first."""
    own = {w.name: w.with_data(np.ascontiguousarray(w.data)) for w in model.weights.values()}
    kind = type(model)
    return kind(model.config, {name: own[w.name] for name, w in model.weights.items()}, model.tokenizer, model.name)


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_weights_that_stay_as_they_are_stored_give_the_bits_of_float32(tmp_path, kind):
    stored = llmtrace.load(write_gpt2(tmp_path / "m.gguf", WIDE, kind=kind))
    wide = as_float32(stored)
    assert sum(isinstance(w.kept, StoredMatrix) for w in stored.weights.values()) == 6 * WIDE.blocks + 2 + 1
    for keep in ("all", "residual"):
        trace, expected = (model.trace([0, 2, 1, 1], keep=keep) for model in (stored, wide))
        assert checksum(trace) == checksum(expected)
        assert verify(trace) > 0
    assert weights_hash(stored.weights) == weights_hash(wide.weights)
    first, second = ([choice.id for choice in model.generate([1, 2], 3)] for model in (stored, wide))
    assert first == second
    trace.save(tmp_path / "t.trace", with_weights=True)
    assert checksum(llmtrace.open(tmp_path / "t.trace")) == checksum(expected)
    again = pickle.loads(pickle.dumps(stored))
    assert isinstance(again.weights["block.0.mlp.up.weight"].kept, StoredMatrix)
    assert checksum(copy.deepcopy(again).trace([0, 2, 1, 1])) == checksum(expected)
