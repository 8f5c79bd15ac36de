"""What is refused of a model folder, and that every damage to a file of weights is noticed or does not matter."""

import io
import os
import pickle
import re
import struct
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from helpers.model_folders import refusal, stored, write
from helpers.small_models import small_config, small_gpt, write_folder
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import llmtrace
from llmtrace import load, loading
from llmtrace.errors import ModelError
from llmtrace.explain.not_finite import warning
from llmtrace.explain.verify import verify
from llmtrace.loading import load_tokenizer, open_trace
from llmtrace.storage import weights_hash
from llmtrace.storage.stored import PIECE, StoredTensor, all_finite
from llmtrace.weights.config import read_content
from llmtrace.weights.families import FAMILIES, read_settings
from llmtrace.weights.gpt import GPT2

# ---- config.json ----------------------------------------------------------------------------------------------------


def settings(folder):
    return read_settings(read_content(folder / "config.json"), "here")[1]


class Asked(dict):
    """Settings that remember for which names they were asked."""

    def __init__(self, *given):
        super().__init__(*given)
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self.names.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_list_or_an_object_for_any_setting_is_refused_or_read(family):
    """Neither can be looked up in a set or a dict."""
    asked = Asked({"model_type": family})
    with pytest.raises(ModelError):
        read_settings(asked, "here")
    assert len(asked.names) > 5
    for name in asked.names:
        for value in ([], {}, ["a"], {"type": ["a"]}):
            with suppress(ModelError):
                read_settings({"model_type": family, name: value}, "here")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model_type": "bert"}, "describes 'bert', but only 'gpt2'"),
        ({"model_type": None}, "has no model_type"),
        ({"auto_map": {"AutoModelForCausalLM": "x.Y"}}, "auto_map"),
        ({"n_embd": None}, "n_embd is missing"),
        ({"hidden_size": 24}, "n_embd is 12, but hidden_size is 24: which of them counts is not said"),
        ({"max_position_embeddings": 10}, "n_positions is 11, but max_position_embeddings is 10"),
        ({"n_embd": True}, "n_embd must be a whole number from 1 to 2,147,483,648, not true"),
        ({"n_embd": 12.0}, "not 12.0"),
        ({"n_embd": "12"}, "not '12'"),
        ({"n_head": 0}, "n_head must be"),
        ({"n_head": -3}, "n_head must be"),
        ({"n_head": 5}, "a width (n_embd) of 12 can't be split into 5 heads (n_head)"),
        ({"n_layer": 10**9}, "n_layer must be a whole number from 1 to 10,000"),
        ({"vocab_size": 10**400}, "vocab_size must be"),
        ({"n_inner": 0}, "n_inner must be"),
        ({"layer_norm_epsilon": 0}, "layer_norm_epsilon must be"),
        ({"layer_norm_epsilon": True}, "layer_norm_epsilon must be"),
        ({"layer_norm_epsilon": 1e-60}, "layer_norm_epsilon must be"),
        ({"layer_norm_epsilon": float("nan")}, "NaN is not a number of JSON"),
        ({"activation_function": "quick_gelu"}, "activation_function must be gelu_new or gelu or relu"),
        ({"activation_function": ["gelu_new"]}, "activation_function must be"),
        ({"scale_attn_weights": 1}, "scale_attn_weights must be true or false, not 1"),
        ({"scale_attn_by_inverse_layer_idx": "x"}, "scale_attn_by_inverse_layer_idx must be true or false"),
        ({"eos_token_id": "2"}, "eos_token_id must be the id of a token, or a list of such, not '2'"),
        ({"eos_token_id": [2, True]}, "eos_token_id must be the id of a token, or a list of such"),
        ({"reorder_and_upcast_attn": 1}, "reorder_and_upcast_attn must be true or false"),
        ({"add_cross_attention": True}, "add_cross_attention must be false"),
        ({"is_causal": False}, "is_causal must be true, not false: tokens would see those behind them"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings must be true or false"),
        ({"quantization_config": {}}, "quantised"),
    ],
)
def test_a_config_that_means_another_model(tmp_path, change, sentence):
    assert sentence in refusal(write(tmp_path / "a", **change))


def test_configs_in_other_words(tmp_path):
    folder = write(tmp_path / "a", n_positions=None, n_ctx=11, model_type=None, architectures=["GPT2LMHeadModel"])
    assert settings(folder) == small_config()
    write(folder, n_ctx=5, n_inner=48, activation_function="gelu_pytorch_tanh", layer_norm_epsilon=1e-05)
    assert settings(folder) == small_config()
    write(folder, n_embd=None, hidden_size=12, n_head=None, num_attention_heads=3, scale_attn_weights=True)
    assert settings(folder) == small_config()
    write(folder, hidden_size=12, num_attention_heads=3, num_hidden_layers=2, max_position_embeddings=11, n_ctx=5)
    assert settings(folder) == small_config()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"[]", "not a JSON object"),
        (b'{"model_type": "gpt2", "model_type": "gpt2"}', "'model_type' is there twice"),
        (b"\xff\xfe{", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b" " * (4 << 20) + b"{}", "more than 4 MB"),
    ],
)
def test_a_config_that_is_none(tmp_path, content, sentence):
    folder = write(tmp_path / "a")
    (folder / "config.json").write_bytes(content)
    assert sentence in refusal(folder)


# ---- tensors --------------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_in_one_sentence(tmp_path):
    arrays = stored(**{"score.weight": np.zeros(3, np.float32), "evil\x1b[31m\n": np.zeros(1, np.float32)})
    del arrays["h.0.ln_1.bias"]
    arrays["wpe.weight"] = arrays["wpe.weight"].T.copy()
    arrays["h.1.mlp.c_fc.bias"] = arrays["h.1.mlp.c_fc.bias"].astype(np.int32)
    arrays["ln_f.weight"][5] = np.nan
    arrays["wte.weight"][2, 7] = -np.inf
    arrays["ln_f.bias"] = np.full(12, 0.1)
    message = refusal(write(tmp_path / "a", arrays))
    for sentence in (
        "h.0.ln_1.bias is missing",
        "score.weight is not part of this GPT-2",
        r"evil\x1b[31m\n is not part",
        "wpe.weight has shape (12, 11), expected (11, 12)",
        "h.1.mlp.c_fc.bias is of type I32; only F32, F16, BF16, F64 can be read",
        "ln_f.weight holds numbers that are not finite, such as nan at [5]",
        "wte.weight holds numbers that are not finite, such as -inf at [2, 7]",
        "ln_f.bias is F64 with numbers that float32 does not have, like 0.1;",
    ):
        assert sentence in message
    arrays = stored(**{"ln_f.bias": np.full(12, np.nan)})  # F64, and no float32 equals it; but that is not the point
    assert refusal(write(tmp_path / "a", arrays)).endswith(
        "ln_f.bias holds numbers that are not finite, such as nan at [0] (LLMTRACE_NOT_FINITE=1 opens it all the same)"
    )
    assert refusal(write(tmp_path / "b", {"x": np.zeros(1, np.float32)})).endswith("; and 21 more")


def test_types_that_can_not_be_read_are_said_once(tmp_path):
    arrays = {
        f"transformer.{name}": array.astype(np.int8 if "ln" in name else np.int32) for name, array in stored().items()
    }
    said = refusal(write(tmp_path / "a", arrays)).partition(": ")[2]
    parts = said.split("; ")
    assert sorted(parts[:-1]) == [
        "10 tensors are of type I8 (the first: transformer.h.0.ln_1.bias)",
        "18 tensors are of type I32 (the first: transformer.h.0.attn.c_attn.bias)",
    ]
    assert parts[-1] == "only F32, F16, BF16, F64 can be read"


def test_arrays_in_memory_are_checked_too():
    config = small_config()
    for change, sentence in (
        ({"ln_f.bias": np.zeros(12)}, "some tensors are float32, others float64"),
        ({"ln_f.bias": np.zeros(12, np.int64)}, "ln_f.bias is int64, expected float32"),
        ({"transformer.ln_f.bias": np.zeros(12, np.float32)}, "ln_f.bias is there twice"),
    ):
        with pytest.raises(ModelError, match=sentence):
            GPT2.weights(config, stored(**change), "here")


def test_weights_that_a_file_has_out_in():
    def table(sizes):
        return (replace(entry, transposed=entry.axes == ("in", "out")) for entry in GPT2.table(sizes))

    config, like_torch = small_config(), replace(GPT2, table=table)
    torch = {name: a.T if ".weight" in name and name.startswith("h") else a for name, a in stored().items()}
    weights = like_torch.weights(config, torch, "here")
    assert weights_hash(weights) == weights_hash(GPT2.weights(config, stored(), "here"))
    assert weights_hash(like_torch.initial(config, 1)) == weights_hash(GPT2.initial(config, 1))
    for name, array in like_torch.tensors(config, weights).items():
        np.testing.assert_array_equal(array, torch[name.removeprefix("transformer.")])
    with pytest.raises(ModelError, match=r"h.0.mlp.c_fc.weight has shape \(12, 48\), expected \(48, 12\)"):
        like_torch.weights(config, stored(), "here")


@given(st.integers(0, 2 * PIECE + 5), st.sampled_from([np.nan, np.inf, -np.inf]))
@example(PIECE, np.nan)
@example(2 * PIECE + 5, np.inf)
def test_one_number_that_is_not_finite_is_found_anywhere(place, number):
    BIG.reshape(-1)[place] = number
    try:
        assert not all_finite(BIG)
        assert not all_finite(BIG.T)
    finally:
        BIG.reshape(-1)[place] = 0
    assert all_finite(BIG)


BIG = np.zeros((2, PIECE + 3), np.float32)


def test_every_pattern_of_16_bits_is_widened_exactly():
    patterns = np.arange(1 << 16, dtype="<u2")
    wide = StoredTensor("BF16", (1 << 16,), patterns.view(np.uint8)).read()
    np.testing.assert_array_equal(wide.view(np.uint32), patterns.astype(np.uint32) << 16)
    assert not wide.flags.writeable
    found = StoredTensor("F16", (1 << 8, 1 << 8), patterns.view(np.uint8)).read().reshape(-1)
    expected = np.array(struct.unpack("<65536e", patterns.tobytes())).astype(np.float32)
    numbers = ~np.isnan(expected)
    assert (numbers == ~np.isnan(found)).all()
    np.testing.assert_array_equal(found[numbers].view(np.uint32), expected[numbers].view(np.uint32))


# ---- files that are something else ----------------------------------------------------------------------------------


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


PICKLES = [pickle.dumps({"a": [1.0, 2.0], "b": object}, protocol) for protocol in range(6)] + [
    pickle.dumps([1, 2, 3], 0),
    zipped("archive/data.pkl", "archive/version"),
    zipped(*(f"archive/data/{i:090}" for i in range(100)), "archive/data.pkl"),
    pickle.dumps(119547037146038801333356, 2) + pickle.dumps(1001, 2),
]
OTHERS = {
    b"": "is empty",
    b"abc": "is cut off: it has only 3 bytes; download it again",
    b"Entry not found, sorry": "is not a safetensors file",
    b"\n<html><body>404": "is a web page, not the file that it should be; download it again",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n": "the file itself was not downloaded",
    zipped("a.txt"): "is a zip archive",
    b"GGUF\x03\0\0\0" + bytes(20): "is a GGUF file",
    b"\xff" * 40: "is not a safetensors file",
    (999).to_bytes(8, "little")
    + b"{}": "is cut off: its header has 999 bytes, but only 2 are there; download it again",
    (2).to_bytes(8, "little") + b"{]": "is damaged: its header is not valid JSON",
    (100_000).to_bytes(8, "little") + b'{"a":' + b"[" * 99_995: "nested too deeply",
    **dict.fromkeys(PICKLES, "is a pickle file, which can run any program when it is read"),
}


@pytest.mark.parametrize(("content", "sentence"), OTHERS.items(), ids=range(len(OTHERS)))
def test_a_file_of_weights_that_is_something_else(tmp_path, content, sentence):
    folder = write(tmp_path / "a")
    (folder / "model.safetensors").write_bytes(content)
    assert sentence in refusal(folder)


@pytest.mark.parametrize("content", PICKLES)
@pytest.mark.parametrize("name", ["pytorch_model.bin", "x"])
def test_a_folder_with_only_a_pickle(tmp_path, content, name):
    folder = write(tmp_path / "a")
    (folder / "model.safetensors").unlink()
    assert "has no model.safetensors (nor model.safetensors.index.json)" in refusal(folder)
    (folder / name).write_bytes(content)
    assert f"has no model.safetensors, only {name}: a pickle file" in refusal(folder)
    (folder / "config.json").unlink()
    assert "has no config.json and no model.safetensors, only" in refusal(folder)


def test_files_that_can_not_be_opened(tmp_path, monkeypatch):
    folder = write(tmp_path / "a")
    for name in ("config.json", "model.safetensors"):
        path, kept = folder / name, (folder / name).read_bytes()
        for make, sentence in (
            (path.mkdir, "not a regular file"),
            (lambda path=path: os.mkfifo(path), "not a regular file"),
            (lambda path=path: path.symlink_to("/dev/zero"), "not a regular file"),
            (lambda path=path: path.symlink_to(path.name), "Too many levels of symbolic links"),
            (lambda path=path: path.symlink_to("nowhere"), "No such file or directory"),
        ):
            path.unlink()
            make()
            assert sentence in refusal(folder)
            if path.is_dir():
                path.rmdir()
                path.touch()
        path.unlink()
        path.write_bytes(kept)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert refusal(folder).endswith("model.safetensors can't be read: Permission denied")


def test_names_that_lead_nowhere(tmp_path, monkeypatch):
    write(tmp_path / "my-model")
    monkeypatch.setattr(loading, "DATA", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert llmtrace.load("my-model").config == llmtrace.load(tmp_path / "my-model").config == small_config()
    assert refusal("my-modle") == (
        "there is no model 'my-modle': did you mean 'my-model'? Otherwise give a folder, or one of my-model, smollm2"
    )
    assert "did you mean" in refusal(tmp_path / "my_model")
    nowhere = "there is no model {0!r}: give a folder, or one of my-model, smollm2"
    for name in ("zzz", "an/owner"):
        fetched = f"{nowhere}; if it is one of Hugging Face's hub, llmtrace fetch {{0}} downloads it".format(name)
        assert refusal(name) == fetched
        with pytest.raises(ModelError, match=re.escape(fetched)):
            loading.load_tokenizer(name)
    for name in ("./zzz", "/zzz", "zzz.gguf"):
        assert refusal(name) == nowhere.format(name)
    assert "is empty" in refusal("")
    assert "null byte" in refusal("a\0b")
    assert r"'a\x1b\u202e'" in refusal("a\x1b\u202e")
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "loop").endswith("loop can't be read: Too many levels of symbolic links")


@pytest.mark.parametrize("load", [llmtrace.load, load_tokenizer])
def test_what_is_neither_a_name_nor_a_path(load):
    model = small_gpt()
    for wrong, said in ((None, "None"), (3, "3"), (["gpt2"], "['gpt2']"), (model, f"'{model}'")):
        with pytest.raises(ModelError) as error:
            load(wrong)
        assert str(error.value) == f"a model is given by its name or its path, not by {said}"


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_can_be_opened_on_purpose(tmp_path, monkeypatch, number):
    folder = write_folder(tmp_path / "model")
    arrays = load_file(folder / "model.safetensors")
    arrays["h.1.mlp.c_fc.weight"][3, 5] = number
    save_file(arrays, folder / "model.safetensors")
    told = rf"h\.1\.mlp\.c_fc\.weight holds numbers that are not finite, such as {number} at \[3, 5\]"
    with pytest.raises(ModelError, match=rf"{told} \(LLMTRACE_NOT_FINITE=1 opens"):
        load(folder)
    monkeypatch.setenv("LLMTRACE_NOT_FINITE", "1")
    model = load(folder)
    assert re.search(told + "$", model.notes[0])
    trace = model.trace("CBA")
    assert "block.1.mlp.up.weight[in=3, out=5] = " in warning(trace)
    trace.save(tmp_path / "nan.trace")
    assert verify(open_trace(tmp_path / "nan.trace")) > 0
