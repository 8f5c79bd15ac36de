"""What config.json, generation_config.json and the tokenizer beside them change."""

import json
import math

import numpy as np
import pytest
from helpers.model_folders import CONFIG, refusal, stored, write

import llmtrace
from llmtrace.errors import PromptError
from llmtrace.models import Sampling
from llmtrace.models.gpt import ACTIVATIONS
from llmtrace.weights import save_folder

IDS = [0, 1, 2, 1]


def with_queries(factor):
    """The tensors with what block n asks times factor(n): its scores become so many times what they were."""
    changed = {}
    for name, array in stored().items():
        changed[name] = array.copy()
        if "c_attn" in name:
            changed[name][..., : CONFIG["n_embd"]] *= factor(int(name.split(".")[1]))
    return changed


ROOT = math.sqrt(CONFIG["n_embd"] // CONFIG["n_head"])
SCALINGS = {
    "by layer": ({"scale_attn_by_inverse_layer_idx": True}, lambda n: 1 / (n + 1)),
    "not by the root": ({"scale_attn_weights": False}, lambda n: ROOT),
    "both": ({"scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True}, lambda n: ROOT / (n + 1)),
}


@pytest.mark.parametrize(("config", "factor"), SCALINGS.values(), ids=SCALINGS)
def test_scores_are_scaled(tmp_path, config, factor):
    model = llmtrace.load(write(tmp_path / "a", **config))
    other = llmtrace.load(write(tmp_path / "b", with_queries(factor)))
    plain = llmtrace.load(write(tmp_path / "c"))
    np.testing.assert_allclose(model.logits(IDS), other.logits(IDS), rtol=0, atol=1e-5)
    assert not np.allclose(model.logits(IDS), plain.logits(IDS), rtol=0, atol=1e-3)
    trace = model.trace(IDS)
    scaled = [name for name in trace if name.endswith("scores.scaled")]
    assert scaled == [f"block.{n}.attn.scores.scaled" for n in range(2) if not math.isclose(factor(n), 1)]
    trace.explain(f"{scaled[0]}[head=2, query=3, key=1]").replay()
    np.testing.assert_array_equal(trace["logits"].output, model.logits(IDS))
    save_folder(model, tmp_path / "again")
    assert llmtrace.load(tmp_path / "again").config == model.config


def test_what_concerns_16_bit_arithmetic_changes_nothing(tmp_path):
    """CodeParrot's and Stanford's GPT-2s have both switches."""
    layered = {"scale_attn_by_inverse_layer_idx": True}
    one = llmtrace.load(write(tmp_path / "a", **layered))
    two = llmtrace.load(write(tmp_path / "b", **layered, reorder_and_upcast_attn=True))
    assert one.logits(IDS).tobytes() == two.logits(IDS).tobytes()


def test_the_memory_of_scaled_scores_is_counted(tmp_path):
    plain, scaled = llmtrace.load(write(tmp_path / "a")), llmtrace.load(write(tmp_path / "b", scale_attn_weights=False))
    assert scaled.trace_numbers(4) - plain.trace_numbers(4) == CONFIG["n_layer"] * CONFIG["n_head"] * 4 * 4


NAMES = {
    "gelu_new": "gelu_new",
    "gelu_pytorch_tanh": "gelu_new",
    "gelu_fast": "gelu_new",
    "gelu_accurate": "gelu_new",
    "gelu_python": "gelu",
    "gelu": "gelu",
    "relu": "relu",
    "swish": "silu",
    "tanh": "tanh",
}


@pytest.mark.parametrize("name", NAMES)
def test_activation_functions(tmp_path, name):
    model = llmtrace.load(write(tmp_path / "a", activation_function=name))
    trace = model.trace(IDS)
    up, act = trace.tensor("block.0.mlp.up"), trace.tensor("block.0.mlp.act")
    np.testing.assert_array_equal(act, ACTIVATIONS[NAMES[name]].forward(up))
    assert trace["block.0.mlp.act"].op == ACTIVATIONS[NAMES[name]].name
    save_folder(model, tmp_path / "again")
    assert llmtrace.load(tmp_path / "again").config == model.config


# ---- ends -----------------------------------------------------------------------------------------------------------


def likeliest(model, steps=4):
    return [choice.id for choice in model.generate([0], steps, Sampling(temperature=0))]


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("file", ["config", "generation_config"])
def test_the_end_is_what_the_files_say(tmp_path, file, as_list):
    folder = write(tmp_path / "a")
    first = likeliest(llmtrace.load(folder))[0]
    ends = [first, 1] if as_list else first
    if file == "config":
        write(folder, eos_token_id=ends)
    else:
        write(folder, eos_token_id=(first + 1) % 3)  # the other file counts
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))
    model = llmtrace.load(folder)
    generation = model.generate([0], 4, Sampling(temperature=0))
    assert [choice.id for choice in generation] == [first]
    assert generation.ended == str(first)
    save_folder(model, tmp_path / "again")
    assert likeliest(llmtrace.load(tmp_path / "again")) == [first]


def test_without_an_end_it_goes_on(tmp_path):
    folder = write(tmp_path / "a", eos_token_id=None)
    (folder / "generation_config.json").write_text("{}")
    assert len(likeliest(llmtrace.load(folder))) == 4


# ---- a tokenizer that knows more ------------------------------------------------------------------------------------


def test_a_tokenizer_may_know_more_tokens(tmp_path):
    folder = write(tmp_path / "a")
    vocabulary = {"a": 0, "b": 1, "c": 2}
    added = [{"id": 3, "content": "[PAD]", "special": False}]
    data = {"added_tokens": added, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False}}
    data["model"] = {"type": "BPE", "vocab": vocabulary, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(data))
    model = llmtrace.load(folder)
    assert "the tokenizer has 4 tokens, but the model only 3" in model.notes[0]
    np.testing.assert_array_equal(model.logits("abc"), model.logits([0, 1, 2]))
    with pytest.raises(PromptError, match="no token 3"):
        model.logits("ab[PAD]")


@pytest.mark.parametrize(
    ("config", "file", "found"),
    [
        (None, None, None),
        ({}, None, None),
        ({"chat_template": "a"}, None, "a"),
        ({"chat_template": "a"}, "b\n", "b\n"),
        (None, "é", "é"),
        ({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}, None, "d"),
        ({"chat_template": [{"name": "tool_use", "template": "t"}]}, None, None),
        ({"chat_template": [{"name": "default", "template": 3}, "x", None]}, None, None),
        ({"chat_template": {"default": "a"}}, None, None),
        ({"chat_template": 3}, None, None),
    ],
)
def test_the_template_of_a_chat(tmp_path, config, file, found):
    folder = write(tmp_path / "m")
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if file is not None:
        (folder / "chat_template.jinja").write_text(file)
    assert llmtrace.load(folder).chat_template == found


def test_a_template_without_end(tmp_path):
    folder = write(tmp_path / "m")
    (folder / "chat_template.jinja").write_bytes(b"x" * ((1 << 20) + 1))
    assert "it has more than 1 MB" in refusal(folder)
