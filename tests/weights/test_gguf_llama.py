"""A Llama as llama.cpp's converter writes it computes what its folder does: it turns pairs that lie side by side."""

import json
import struct

import numpy as np
import pytest
from gguf import GGUFWriter
from helpers.model_folders import refusal
from safetensors.numpy import save_file

import llmtrace
from llmtrace.weights.llama import LLAMA, QWEN2

CONFIG = {
    "vocab_size": 7,
    "max_position_embeddings": 16,
    "hidden_size": 24,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 40,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
}
NAMES = {
    "embed_tokens": "token_embd",
    "norm": "output_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def both(tmp_path, family, **more):
    """The same random weights as a folder and as a .gguf file."""
    config = {"model_type": family.name, **CONFIG, **more}
    rng = np.random.default_rng(0)
    shapes = family.shapes(family.read_config(config, []))
    arrays = {name: (0.4 * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    head = {} if config["tie_word_embeddings"] else {"lm_head.weight": np.ones((7, 24), np.float32)}
    save_file({f"model.{name}": array for name, array in arrays.items()} | head, folder / "model.safetensors")
    writer = GGUFWriter(tmp_path / "m.gguf", family.name)
    writer.add_block_count(2)
    writer.add_context_length(16)
    writer.add_embedding_length(24)
    writer.add_feed_forward_length(40)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    for name, array in arrays.items():
        stem, kind = name.rsplit(".", 1)
        block = ""
        if stem.startswith("layers."):
            _layers, number, stem = stem.split(".", 2)
            block = f"blk.{number}."
        if family is LLAMA and stem[-6:-5] in "qk" and stem.startswith("self_attn"):
            heads = 4 if "q_proj" in stem else 2
            array = array.reshape(heads, 2, -1, array.shape[-1]).swapaxes(1, 2).reshape(array.shape)
        writer.add_tensor(f"{block}{NAMES[stem]}.{kind}", np.ascontiguousarray(array))
    for array in head.values():
        writer.add_tensor("output.weight", array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return llmtrace.load(folder), llmtrace.load(tmp_path / "m.gguf")


@pytest.mark.parametrize("family", [LLAMA, QWEN2], ids=["llama", "qwen2"])
def test_the_same_numbers_as_its_folder(tmp_path, family):
    folder, file = both(tmp_path, family)
    ids = [0, 3, 6, 2, 1, 5]
    ours, theirs = file.logits(ids), folder.logits(ids)
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
    assert file.config.layout == ("interleaved" if family is LLAMA else "half")
    assert (
        file.weights["block.1.mlp.down.weight"].data.tobytes()
        == folder.weights["block.1.mlp.down.weight"].data.tobytes()
    )
    if family is QWEN2:
        assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("tied", [True, False])
def test_an_output_that_is_not_stored_is_the_table_of_tokens(tmp_path, tied):
    folder, file = both(tmp_path, LLAMA, tie_word_embeddings=tied)
    for model in (folder, file):
        weights = model.weights
        assert (weights["logits.weight"] is weights["embed.token.weight"]) == tied


def test_heads_are_named_as_the_file_names_them(tmp_path):
    both(tmp_path, LLAMA)
    path = tmp_path / "m.gguf"
    content = path.read_bytes()
    heads, keys = (
        b"llama.attention.head_count" + struct.pack("<I", 4),
        b"llama.attention.head_count_kv" + struct.pack("<I", 4),
    )
    for key, value, said in (
        (heads, 5, "a width (llama.embedding_length) of 24 can't be split into 5 heads (llama.attention.head_count)"),
        (
            keys,
            3,
            "4 heads (llama.attention.head_count) can't share 3 of keys and values (llama.attention.head_count_kv)",
        ),
        (
            heads,
            8,
            "a head of 3 features (llama.embedding_length / llama.attention.head_count) can't be turned in pairs",
        ),
        (keys, 0, "llama.attention.head_count_kv must be a whole number"),
    ):
        place = content.index(key) + len(key)
        path.write_bytes(content[:place] + struct.pack("<I", value) + content[place + 4 :])
        assert said in refusal(path)
