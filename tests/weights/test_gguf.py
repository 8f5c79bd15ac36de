import copy
import dataclasses
import pickle
import struct

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
    with pytest.raises(ModelError, match=r"token_embd\.bias is not part of this GPT-2"):
        llmtrace.load(write_gpt2(tmp_path / "m.gguf", arrays=arrays))


def test_errors_use_the_names_of_the_file(tmp_path):
    arrays = tensors(small_config())
    del arrays["h.1.ln_2.bias"]
    arrays["h.0.mlp.c_fc.bias"] = np.full(48, np.nan, np.float32)
    arrays["wpe.weight"] = arrays["wpe.weight"][:5]
    said = refusal(write_gpt2(tmp_path / "m.gguf", arrays=arrays))
    assert "blk.1.ffn_norm.bias is missing" in said
    assert "blk.0.ffn_up.bias holds numbers that are not finite" in said
    assert "position_embd.weight has shape (5, 12), expected (11, 12)" in said


def test_types_that_can_not_be_read_are_said_once(tmp_path):
    arrays = {name: a.astype(np.int32) if a.ndim == 2 else a for name, a in tensors(small_config()).items()}
    said = refusal(write_gpt2(tmp_path / "m.gguf", arrays=arrays))
    assert "m.gguf: 10 tensors are of type I32 (the first: token_embd.weight); only F32, F16, " in said
    assert said.count("Q4_0") == 1


UNKNOWN = {
    "rope_freqs.weight": "rope_freqs.weight (angles of positions that are scaled)",
    "rope_factors_long.weight": "rope_factors_long.weight (angles of positions that are scaled)",
    "blk.0.ffn_gate_inp.weight": "blk.0.ffn_gate_inp.weight (experts)",
    "blk.0.ffn_up_exps.weight": "blk.0.ffn_up_exps.weight (experts)",
    "blk.0.ffn_gate_shexp.weight": "blk.0.ffn_gate_shexp.weight (experts)",
    "blk.1.attn_q_norm.weight": "blk.1.attn_q_norm.weight (norms of queries and keys)",
    **{
        name: name
        for name in (
            "blk.0.post_attention_norm.weight",
            "blk.0.attn_norm_2.weight",
            "blk.0.attn_sinks.weight",
            "blk.0.rope_freqs.weight",
            "blk.01.attn_norm.weight",
            "blk.{}.attn_norm.weight",
            "blk.attn_norm.weight",
            "blk.0.attn_output.scale",
            "token_embd_norm.weight",
            "cls.weight",
            "wte.weight",
            "h.0.ln_1.weight",
            "transformer.wte.weight",
            "token_embd",
        )
    },
}


@pytest.mark.parametrize(("name", "said"), UNKNOWN.items(), ids=UNKNOWN)
def test_no_tensor_is_passed_over(tmp_path, name, said):
    path = write_gpt2(tmp_path / "m.gguf", end=lambda writer: writer.add_tensor(name, np.ones(2, np.float32)))
    assert refusal(path) == f"{path} has tensors that are not supported: {said}"


def test_of_many_tensors_that_are_not_known_some_are_named(tmp_path):
    def more(writer):
        for name in ("a.weight", "rope_freqs.weight", *(f"blk.{n}.x.weight" for n in range(10))):
            writer.add_tensor(name, np.ones(2, np.float32))

    said = refusal(write_gpt2(tmp_path / "m.gguf", end=more))
    assert "supported: a.weight; rope_freqs.weight (angles of positions that are scaled); blk.0.x.weight; " in said
    assert said.endswith("blk.5.x.weight; and 4 more")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("blk.2.attn_norm.weight", "blk.2.attn_norm.weight is not part of this GPT-2"),
        ("output.bias", "output.bias is not part of this GPT-2"),
        ("blk.0.attn_qkv.weight.lora_a", "holds an adapter (LoRA or the like: blk.0.attn_qkv.weight.lora_a)"),
    ],
)
def test_what_such_a_model_does_not_have(tmp_path, name, said):
    path = write_gpt2(tmp_path / "m.gguf", end=lambda writer: writer.add_tensor(name, np.ones(2, np.float32)))
    assert said in refusal(path)


def test_a_file_without_its_table_of_tokens(tmp_path):
    path = write_gpt2(tmp_path / "m.gguf", arrays={"wpe.weight": np.ones((11, 12), np.float32)})
    assert refusal(path) == f"{path}: token_embd.weight is missing"


SIZE_OF_HEADS = [("gpt2.rope.dimension_count", 4), ("gpt2.attention.value_length", 4)]


def with_size(path, key, kind, value):
    """The file with another type and value of a setting that is a whole number of 32 bits."""
    content = bytearray(write_gpt2(path, settings=SIZE_OF_HEADS).read_bytes())
    place = content.index(f"gpt2.{key}".encode()) + len(f"gpt2.{key}")
    content[place : place + 8] = struct.pack(f"<I{kind}", {"I": 4, "i": 5, "f": 6}[kind], value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("key", "kind", "value", "said"),
    [
        (
            "attention.head_count",
            "I",
            0,
            "gpt2.attention.head_count must be a whole number from 1 to 2,147,483,648, not 0",
        ),
        ("attention.head_count", "i", -3, "gpt2.attention.head_count must be a whole number"),
        ("attention.head_count", "f", 4.0, "gpt2.attention.head_count must be a whole number"),
        (
            "attention.head_count",
            "I",
            5,
            "a width (gpt2.embedding_length) of 12 can't be split into 5 heads (gpt2.attention.head_count)",
        ),
        ("embedding_length", "I", 0, "gpt2.embedding_length must be a whole number"),
        ("context_length", "f", 0.5, "gpt2.context_length must be a whole number"),
        ("block_count", "I", 1, "blk.1.attn_qkv.weight is not part of this GPT-2"),
        ("block_count", "I", 3, "blk.2.attn_qkv.weight is missing"),
        ("attention.layer_norm_epsilon", "f", -1.0, "gpt2.attention.layer_norm_epsilon must be a number above 0"),
        ("rope.dimension_count", "I", 2, "gpt2.rope.dimension_count = 2, which is not supported where a head has 4"),
    ],
)
def test_the_setting_that_is_wrong_is_named(tmp_path, key, kind, value, said):
    llmtrace.load(write_gpt2(tmp_path / "right.gguf", settings=SIZE_OF_HEADS))
    assert said in refusal(with_size(tmp_path / "m.gguf", key, kind, value))


def test_a_list_where_a_number_should_be(tmp_path):
    path = write_gpt2(tmp_path / "m.gguf", end=lambda writer: writer.add_array("gpt2.expert_count", [0, 0]))
    assert "has the setting gpt2.expert_count = array([0, 0]" in refusal(path)


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
