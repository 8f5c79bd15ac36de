import numpy as np
import pytest
from helpers import fake_hub
from helpers.model_folders import stored, write, write_shards
from helpers.small_models import write_folder

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.loading import load_tokenizer
from llmtrace.weights.fetching import fetch, look_up


@pytest.fixture
def hub(tmp_path, monkeypatch):
    return fake_hub.put(monkeypatch, tmp_path / "cache")


def offered(hub, name, folder):
    hub.models[name] = folder
    return folder


@pytest.mark.parametrize("name", ["small", "owner/small.gpt_2"])
def test_what_was_fetched_is_found_by_name(hub, tmp_path, name):
    folder = offered(hub, name, write_folder(tmp_path / "m"))
    for other in ("pytorch_model.bin", "README.md", "model.gguf", "model-1-of-2.safetensors", "run.py"):
        (folder / other).write_bytes(b"x" * 99)
    offer = look_up(name)
    assert set(hub.fetched) == {"config.json"}
    assert offer.files == {
        n: (folder / n).stat().st_size for n in ("config.json", "tokenizer.json", "model.safetensors")
    }
    assert offer.size == sum(offer.files.values())
    assert fetch(offer) == tmp_path / "cache" / f"models--{name.replace('/', '--')}" / "snapshots" / fake_hub.REVISION
    assert set(hub.fetched) == set(offer.files)
    model = llmtrace.load(name)
    assert model.name == name
    assert np.array_equal(model.logits([0, 2]), llmtrace.load(folder).logits([0, 2]))
    assert load_tokenizer(name).encode("CAB") == model.tokenizer.encode("CAB")


def test_weights_in_parts(hub, tmp_path):
    write_shards(tmp_path / "m", stored())
    offered(hub, "parts", tmp_path / "m")
    offer = look_up("parts")
    assert sum(file.endswith(".safetensors") for file in offer.files) == 3
    fetch(offer)
    assert llmtrace.load("parts").logits([0]).shape == (1, 3)


def test_one_that_can_not_be_computed_is_refused_before_its_weights(hub, tmp_path):
    offered(hub, "other", write(tmp_path / "m", model_type="mamba"))
    with pytest.raises(ModelError, match="'mamba', but only"):
        look_up("other")
    assert hub.fetched == ["config.json"]


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("config.json", "the hub has no config.json of it"),
        ("model.safetensors", "the hub has no model.safetensors of it"),
    ],
)
def test_files_that_are_not_there(hub, tmp_path, lacking, said):
    folder = offered(hub, "half", write(tmp_path / "m"))
    (folder / lacking).unlink()
    with pytest.raises(ModelError, match=f"'half' can't be fetched: {said}"):
        look_up("half")
    assert hub.fetched == []


FAILURES = [
    (
        fake_hub.GatedRepoError("403 …"),
        "is given to those who ask for it: ask at https://huggingface.co/a/b, then log in",
    ),
    (fake_hub.OfflineModeIsEnabled("Cannot reach …"), "HF_HUB_OFFLINE says that the network is not to be used"),
    (fake_hub.ConnectError("[Errno -2] Name or service not known"), "the hub can't be reached ([Errno -2] Name or"),
    (TimeoutError("The read operation timed out"), "the hub can't be reached (The read operation timed out)"),
    (OSError(28, "No space left on device"), "can't be fetched: [Errno 28] No space left on device"),
    (KeyError(), "can't be fetched: KeyError"),
    (ValueError("\x1b[31mfirst\nsecond"), "can't be fetched: \\x1b[31mfirst"),
    (ValueError("x" * 10_000), "can't be fetched: xxx"),
]


@pytest.mark.parametrize(("error", "said"), FAILURES, ids=[type(error).__name__ for error, _said in FAILURES])
@pytest.mark.parametrize("late", [False, True])
def test_failures_are_one_line(hub, tmp_path, error, said, late):
    offered(hub, "a/b", write(tmp_path / "m"))
    offer = look_up("a/b") if late else None
    hub.fails = error
    with pytest.raises(ModelError) as caught:
        fetch(offer) if late else look_up("a/b")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_no_such_model(hub):
    with pytest.raises(ModelError, match=r"^the hub has no model 'a/c', or shows it to others only$"):
        look_up("a/c")


@pytest.mark.parametrize("name", ["", "../a", "a//b", "a/b/c", "a b", "a\0b", "\x1b[31m", "x" * 1000, "https://x/y"])
def test_names_that_are_none(hub, name):
    with pytest.raises(ModelError, match="is not the name of a model on the hub") as caught:
        look_up(name)
    assert str(caught.value).isprintable()
