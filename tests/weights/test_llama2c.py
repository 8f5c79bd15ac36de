"""A file of llama2.c computes what run.c does, and what the same weights do as a folder."""

import numpy as np
import pytest
from helpers.llama2c_files import content, header, hostile, logits, random_tensors, write, write_tokenizer
from helpers.refusing import expect_refused
from helpers.small_llamas import write_llama

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.loading import load_tokenizer
from llmtrace.storage.llama2c import open_llama2c
from llmtrace.weights import family
from llmtrace.weights.llama2c import NAMES, config_of

KINDS = {
    "tied": {},
    "untied": {"vocab_size": -7},
    "shared keys": {"n_heads": 6, "n_kv_heads": 2},
    "one key for all": {"n_kv_heads": 1, "n_layers": 1},
    "640 features, a first byte that pickles have": {"dim": 640, "n_heads": 4, "n_kv_heads": 2, "n_layers": 1},
}
IDS = [1, 4, 6, 0, 5, 2, 2, 3, 1]


def as_folder(folder, path):
    """The same numbers under Hugging Face's names."""
    sizes = open_llama2c(path).sizes
    arrays = {}
    raw = random_tensors(**sizes._asdict())
    for name, place in NAMES.items():
        if name in raw and "{}" in place:
            arrays |= {f"{place.format(i)}.weight": layer for i, layer in enumerate(raw[name])}
        elif name in raw:
            arrays[f"{place}.weight"] = raw[name]
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return write_llama(folder, arrays, head_dim=None, **config_of(sizes))


@pytest.mark.parametrize("sizes", KINDS.values(), ids=KINDS)
def test_the_numbers_of_run_c_and_the_bits_of_a_folder(tmp_path, sizes):
    path = write(tmp_path / "m.bin", **sizes)
    model = llmtrace.load(path)
    ours, theirs = model.logits(IDS), logits(path.read_bytes(), IDS)
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
    folder = llmtrace.load(as_folder(tmp_path / "folder", path))
    assert ours.tobytes() == folder.logits(IDS).tobytes()
    assert folder.config == model.config


def test_the_other_layout_of_turns_is_another_model(tmp_path):
    path = write(tmp_path / "m.bin")
    folder = as_folder(tmp_path / "folder", path)
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace("interleaved", "half"))
    theirs = logits(path.read_bytes(), IDS)
    assert np.abs(llmtrace.load(folder).logits(IDS) - theirs).max() > 1e-2 * np.abs(theirs).max()


def test_beginning_end_and_name(tmp_path):
    model = llmtrace.load(write(tmp_path / "stories.bin"))
    assert (model.name, model.begin, model.ends, model.tokenizer) == ("stories", 1, (1, 2), None)


def test_the_tokenizer_beside_it(tmp_path):
    pieces = [("<unk>", 0), ("\n<s>\n", 0), ("\n</s>\n", 0), (" ", -3), ("a", -2), ("b", -2.5), (" a", -1)]
    path = write(tmp_path / "m.bin")
    write_tokenizer(tmp_path / "tokenizer.bin", pieces)
    assert llmtrace.load(path).tokenizer.encode("ab") == [1, 6, 5] == load_tokenizer(path).encode("ab")
    write_tokenizer(tmp_path / "tok7.bin", [*pieces[:6], ("ab", -1)])
    assert llmtrace.load(path).tokenizer.encode("ab") == [1, 3, 6] == load_tokenizer(path).encode("ab")


def test_hostile_files(tmp_path):
    path = tmp_path / "m.bin"
    count = 0
    for said, raw in hostile():
        path.write_bytes(raw)
        expect_refused(said, llmtrace.load, path, len(raw))
        count += 1
    assert count > 80


def test_weights_that_do_not_fit_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = write(tmp_path / "m.bin")
    needed = sum(tensor.memory() for tensor in open_llama2c(path).tensors.values())
    asked = []
    monkeypatch.setattr(family, "available_memory", lambda enough: asked.append(enough) or enough)
    assert llmtrace.load(path)
    assert 0 < asked[0] <= needed
    monkeypatch.setattr(family, "available_memory", lambda enough: enough - 1)
    with pytest.raises(ModelError, match=r"m\.bin: the weights take \d+\.\d kB of memory, and \d+\.\d kB are free"):
        llmtrace.load(path)


def test_a_file_cut_short_after_it_was_opened(tmp_path):
    path = write(tmp_path / "m.bin")
    tensors = open_llama2c(path).tensors
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ModelError, match="has become shorter since it was opened"):
        tensors["freq_cis_imag"].read()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\x80\x02}q\x00.", "is a pickle file"),
        (b"", "is empty"),
        (b"GGUF" + bytes(40), "is a GGUF file"),
        (content(vocab_size=-7)[:-4], "its header asks for 11,452 bytes, but it has 11,448"),
        (header(n_layers=20_000), "its header says n_layers = 20000"),
    ],
    ids=["pickle", "empty", "GGUF", "short", "layers"],
)
def test_what_it_is_that_is_no_such_file(tmp_path, raw, said):
    path = tmp_path / "m.bin"
    path.write_bytes(raw)
    with pytest.raises(ModelError) as caught:
        llmtrace.load(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"n_heads": 4, "n_kv_heads": 3}, "4 heads (n_heads) can't share 3 of keys and values (n_kv_heads) evenly"),
        ({"dim": 12, "n_heads": 4, "n_kv_heads": 4}, "a head of 3 features (dim / n_heads) can't be turned in pairs"),
    ],
)
def test_errors_use_the_names_of_run_c(tmp_path, sizes, said):
    with pytest.raises(ModelError) as caught:
        llmtrace.load(write(tmp_path / "m.bin", **sizes))
    assert said in str(caught.value)


def test_a_tensor_with_a_number_that_is_none_has_the_name_of_run_c(tmp_path):
    path = write(tmp_path / "m.bin")
    raw = bytearray(path.read_bytes())
    place = 28
    for each in open_llama2c(path).sizes.tensors():
        if each.name == "wq":
            break
        place += 4 * (each.layers or 1) * int(np.prod(each.shape))
    raw[place : place + 4] = np.float32(np.nan).tobytes()
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"wq\.0 holds numbers that are not finite"):
        llmtrace.load(path)
