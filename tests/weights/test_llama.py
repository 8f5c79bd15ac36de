"""Llama's folders and those of its kin: what config.json may say, what is refused, and that what is saved is read again."""

import json

import numpy as np
import pytest
from helpers.model_folders import refusal
from helpers.small_llamas import llama_tensors, small_llama, small_llama_config, write_llama

import llmtrace
from llmtrace.weights import save_folder

IDS = [0, 3, 1, 4, 2]


def test_a_folder_is_the_model_of_its_numbers(tmp_path):
    model = llmtrace.load(write_llama(tmp_path / "llama"))
    assert model.config == small_llama_config()
    np.testing.assert_array_equal(model.logits(IDS), small_llama().logits(IDS))
    prefixed = {f"model.{name}": array for name, array in llama_tensors(small_llama_config()).items()}
    prefixed["lm_head.weight"] = prefixed["model.embed_tokens.weight"].copy()
    prefixed["model.layers.0.self_attn.rotary_emb.inv_freq"] = np.ones(3, np.float32)
    again = llmtrace.load(write_llama(tmp_path / "prefixed", prefixed))
    np.testing.assert_array_equal(again.logits(IDS), model.logits(IDS))
    other = llmtrace.load(write_llama(tmp_path / "untied", prefixed | {"lm_head.weight": np.ones((5, 12), np.float32)}))
    assert len(set(other.logits(IDS)[0].tolist())) == 1


READ = {
    "head_dim": ({"head_dim": None}, {}, "must be even"),
    "base inside": (
        {"rope_theta": None, "rope_parameters": {"rope_theta": 50.0, "rope_type": "default"}},
        {"base": 50.0},
        "",
    ),
    "no base": ({"rope_theta": None}, {"base": 10000.0}, ""),
    "no epsilon": ({"rms_norm_eps": None}, {"epsilon": 1e-6}, ""),
    "unscaled": ({"rope_scaling": None}, {}, ""),
    "default scaling": ({"rope_scaling": {"rope_type": "default"}}, {}, ""),
    "interleaved": ({"rotary_layout": "interleaved"}, {"layout": "interleaved"}, ""),
    "swish": ({"hidden_act": "swish"}, {}, ""),
    "mistral": ({"model_type": "mistral", "sliding_window": None}, {}, ""),
    "a window as long as the text": ({"model_type": "mistral", "sliding_window": 23}, {}, ""),
}


@pytest.mark.parametrize(("changed", "ours", "message"), READ.values(), ids=READ)
def test_what_config_says(tmp_path, changed, ours, message):
    folder = write_llama(tmp_path / "llama", **changed)
    if message:
        assert message in refusal(folder)
    else:
        assert llmtrace.load(folder).config == small_llama_config(**ours)


REFUSED = {
    "llama3": ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "scaled in the way 'llama3'"),
    "linear, by its older name": ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "'linear'"),
    "newer place": ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "'yarn'"),
    "no object": ({"rope_scaling": 3}, "rope_scaling"),
    "partial": ({"partial_rotary_factor": 0.5}, "partial_rotary_factor must be 1"),
    "a base of 0": ({"rope_theta": 0}, "rope_theta must be a number above 0"),
    "a base in words": ({"rope_theta": "10000"}, "rope_theta must be a number above 0"),
    "an activation": ({"hidden_act": "gelu"}, "hidden_act must be silu"),
    "biases of the MLP": ({"mlp_bias": True}, "mlp_bias must be false"),
    "heads that do not go into each other": ({"num_key_value_heads": 3}, "can't share 3"),
    "no heads of keys": ({"num_key_value_heads": 0}, "num_key_value_heads must be a whole number"),
    "an odd head": ({"head_dim": 5}, "must be even"),
    "a list for a bias": ({"attention_bias": [1]}, "attention_bias must be true or false"),
    "a window": ({"model_type": "mistral", "sliding_window": 8}, "sliding_window must be null"),
    "a window of a Qwen2": ({"model_type": "qwen2", "use_sliding_window": True}, "use_sliding_window must be false"),
    "an epsilon of 0": ({"rms_norm_eps": 0.0}, "rms_norm_eps must be a number above 0"),
    "a layout": ({"rotary_layout": "thirds"}, "rotary_layout must be half or interleaved"),
    "a size that is missing": ({"intermediate_size": None}, "intermediate_size is missing"),
    "no biases in the file": ({"attention_bias": True}, "q_proj.bias is missing"),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_computed_is_refused(tmp_path, changed, message):
    assert message in refusal(write_llama(tmp_path / "llama", **changed))


SAVED = {
    "llama": ({}, "llama"),
    "biases": ({"qkv_bias": True, "out_bias": True}, "llama"),
    "qwen2": ({"qkv_bias": True}, "qwen2"),
    "interleaved": ({"layout": "interleaved"}, "llama"),
    "other sizes": ({"kv_heads": 1, "head_size": 10, "base": 7.5, "epsilon": 1e-3}, "llama"),
}


@pytest.mark.parametrize(("changed", "kind"), SAVED.values(), ids=SAVED)
def test_what_is_saved_is_read_again(tmp_path, changed, kind):
    model = small_llama(**changed)
    model.tokenizer = None
    save_folder(model, tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "config.json").read_text())["model_type"] == kind
    again = llmtrace.load(tmp_path / "saved")
    assert again.config == model.config
    np.testing.assert_array_equal(again.logits(IDS), model.logits(IDS))
