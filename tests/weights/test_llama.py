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
    head = {"lm_head.weight": np.ones((5, 12), np.float32)}
    other = llmtrace.load(write_llama(tmp_path / "untied", prefixed | head, tie_word_embeddings=False))
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
    "a window that is not said, as long as the text": ({"model_type": "mistral"}, {}, ""),
    "a window as long as the text": ({"model_type": "mistral", "sliding_window": 23}, {}, ""),
}


@pytest.mark.parametrize(("changed", "ours", "message"), READ.values(), ids=READ)
def test_what_config_says(tmp_path, changed, ours, message):
    folder = write_llama(tmp_path / "llama", **changed)
    if message:
        assert message in refusal(folder)
    else:
        assert llmtrace.load(folder).config == small_llama_config(**ours)


BASE = {"rope_theta": 100.0, "rope_type": "default"}
AGREED = {
    "newer and older": {"rope_parameters": BASE},
    "all three": {"rope_parameters": BASE, "rope_scaling": {**BASE, "type": "default"}},
    "inside only": {"rope_parameters": BASE, "rope_theta": None},
    "under the older name": {"rope_scaling": BASE, "rope_theta": None},
    "a part that is all": {"partial_rotary_factor": 1, "rope_parameters": {**BASE, "partial_rotary_factor": 1.0}},
}


@pytest.mark.parametrize("changed", AGREED.values(), ids=AGREED)
def test_a_setting_may_stand_in_several_places(tmp_path, changed):
    assert llmtrace.load(write_llama(tmp_path / "llama", **changed)).config == small_llama_config()


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2"])
def test_the_output_is_its_own_where_nothing_is_said_of_it(tmp_path, kind):
    """transformers begins with random numbers then, and warns."""
    said = refusal(write_llama(tmp_path / "llama", model_type=kind, tie_word_embeddings=None))
    assert "lm_head.weight is missing" in said


REFUSED = {
    "bases that differ": (
        {"rope_parameters": {"rope_theta": 1e4}},
        "rope_theta is 100.0, but rope_parameters.rope_theta is 10000.0",
    ),
    "bases that differ, inside": (
        {"rope_theta": None, "rope_parameters": {"rope_theta": 1e4}, "rope_scaling": {"rope_theta": 5.0}},
        "rope_parameters.rope_theta is 10000.0, but rope_scaling.rope_theta is 5.0",
    ),
    "kinds that differ": (
        {"rope_scaling": {"rope_type": "default", "type": "linear"}},
        "rope_scaling.rope_type is 'default', but rope_scaling.type is 'linear'",
    ),
    "parts that differ": (
        {"partial_rotary_factor": 1, "rope_parameters": {"partial_rotary_factor": 0.5}},
        "partial_rotary_factor is 1, but rope_parameters.partial_rotary_factor is 0.5",
    ),
    "a part inside": ({"rope_scaling": {"partial_rotary_factor": 0.5}}, "rope_scaling.partial_rotary_factor must be 1"),
    "a base inside": (
        {"rope_theta": None, "rope_parameters": {"rope_theta": "x"}},
        "rope_parameters.rope_theta must be a number above 0",
    ),
    "heads that do not part the width": (
        {"head_dim": None, "num_attention_heads": 5},
        "a width (hidden_size) of 12 can't be split into 5 heads (num_attention_heads)",
    ),
    "an odd head of no size": (
        {"head_dim": None},
        "a head of 3 features (hidden_size / num_attention_heads) can't be turned in pairs",
    ),
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
    "a window that is not said": (
        {"model_type": "mistral", "max_position_embeddings": 4097},
        "sliding_window must be null, not absent, which means 4096",
    ),
    "all tokens see all": ({"is_causal": False}, "is_causal must be true, not false: tokens would see"),
    "a window of a Qwen2": ({"model_type": "qwen2", "use_sliding_window": True}, "use_sliding_window must be false"),
    "an epsilon of 0": ({"rms_norm_eps": 0.0}, "rms_norm_eps must be a number above 0"),
    "an epsilon too small": ({"rms_norm_eps": 1e-50}, "at most 1, and 1e-50 is too small for a float32"),
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
