"""Files that name the same tensors otherwise, or hold more than the language model: loaded with a note, or named."""

import json

import numpy as np
import pytest
from helpers.model_folders import refusal, stored, write, write_shards
from safetensors.numpy import save_file

import llmtrace

IDS = [0, 1, 2, 1]
PREFIXED = {f"transformer.{name}": array for name, array in stored().items()}


def logits(folder):
    return llmtrace.load(folder).logits(IDS)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return logits(write(tmp_path_factory.mktemp("model") / "a"))


@pytest.mark.parametrize("tied", [True, None])
@pytest.mark.parametrize("names", [stored(), PREFIXED], ids=["plain", "prefixed"])
def test_a_tied_pair_is_stored_under_either_name(tmp_path, reference, tied, names):
    names = {**names, "lm_head.weight": stored()["wte.weight"]}
    without = {name: array for name, array in names.items() if not name.endswith("wte.weight")}
    model = llmtrace.load(write(tmp_path / "a", without, tie_word_embeddings=tied))
    np.testing.assert_array_equal(model.logits(IDS), reference)
    assert model.weights["embed.token.weight"] is model.weights["logits.weight"]
    assert model.notes == ()


def test_of_an_untied_pair_the_output_is_needed(tmp_path):
    needed = "lm_head.weight is missing, which only a model with tie_word_embeddings = true can do without"
    assert needed in refusal(write(tmp_path / "a", stored(), tie_word_embeddings=False))


def test_of_an_untied_pair_both_are_needed(tmp_path):
    names = {**stored(), "lm_head.weight": stored()["wte.weight"]}
    del names["wte.weight"]
    assert "wte.weight is missing" in refusal(write(tmp_path / "a", names, tie_word_embeddings=False))


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "_orig_mod.module.", "model.", "gpt2.x."])
@pytest.mark.parametrize("names", [stored(), PREFIXED], ids=["plain", "prefixed"])
def test_a_wrapper_is_taken_off_and_named(tmp_path, reference, prefix, names):
    head = {"lm_head.weight": stored()["wte.weight"]}
    folder = write(tmp_path / "a", {prefix + name: array for name, array in {**names, **head}.items()})
    model = llmtrace.load(folder)
    np.testing.assert_array_equal(model.logits(IDS), reference)
    assert f"begin with '{prefix}', which was taken off" in model.notes[0]


def test_a_wrapper_in_shards(tmp_path, reference):
    write_shards(tmp_path / "a", {f"module.{name}": array for name, array in stored().items()})
    np.testing.assert_array_equal(logits(tmp_path / "a"), reference)


def test_a_prefix_of_some_names_is_none(tmp_path):
    names = {f"module.{name}" if n else name: array for n, (name, array) in enumerate(stored().items())}
    assert "wpe.weight is missing" in refusal(write(tmp_path / "a", names))


@pytest.mark.parametrize("head", ["score.weight", "v_head.summary.bias", "multiple_choice_head.summary.weight"])
def test_a_head_that_is_not_used(tmp_path, reference, head):
    model = llmtrace.load(write(tmp_path / "a", {**PREFIXED, head: np.ones((2, 12), np.float32)}))
    np.testing.assert_array_equal(model.logits(IDS), reference)
    assert f"{head}: not part of the language model, and not used" in model.notes[0]


@pytest.mark.parametrize(
    "name", ["transformer.score.weight", "lm_head.bias", "transformer.h.0.attn.c_attn.extra", "h.0.attn.q_norm"]
)
def test_what_would_change_the_numbers_is_refused(tmp_path, name):
    said = refusal(write(tmp_path / "a", {**PREFIXED, name: np.ones(2, np.float32)}))
    assert f"{name} is not part of this GPT-2" in said


def adapter(folder, **config):
    folder.mkdir()
    content = {"peft_type": "LORA", "base_model_name_or_path": "some/gpt2", **config}
    (folder / "adapter_config.json").write_text(json.dumps(content))
    name = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"
    save_file({name: np.ones((2, 12), np.float32)}, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize("kind", ["LORA", "IA3"])
def test_an_adapter_names_its_model(tmp_path, kind):
    folder = adapter(tmp_path / "a", peft_type=kind)
    for path in (folder, folder / "adapter_model.safetensors"):
        said = refusal(path)
        assert f"an adapter ({kind}) for the model 'some/gpt2'" in said
        assert "merge it into that model first" in said


@pytest.mark.parametrize("kind", ["PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING"])
def test_an_adapter_that_nothing_can_merge_is_not_to_be_merged(tmp_path, kind):
    said = refusal(adapter(tmp_path / "a", peft_type=kind))
    assert f"an adapter ({kind}) for the model 'some/gpt2', not a model: one that is not merged into weights" in said
    assert "merge it" not in said


def test_an_adapter_by_the_names_of_its_tensors(tmp_path):
    folder = adapter(tmp_path / "a")
    write(folder, {"base_model.model.transformer.h.0.attn.c_attn.lora_A.weight": np.ones((2, 12), np.float32)})
    assert "holds an adapter (LoRA or the like: base_model.model" in refusal(folder)


def test_an_adapter_beside_a_whole_model_is_no_matter(tmp_path, reference):
    np.testing.assert_array_equal(logits(write(adapter(tmp_path / "a"))), reference)
