import pytest
from helpers.model_folders import write

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.weights.hub import cached

REVISION = "0123456789abcdef0123456789abcdef01234567"


def put(cache, name, revision=REVISION, said=None):
    folder = cache / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(said or revision)
    (folder / "snapshots").mkdir()
    return write(folder / "snapshots" / revision)


@pytest.mark.parametrize("name", ["small-gpt", "owner/small.gpt_2"])
def test_a_model_in_the_cache_is_found_by_name(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = put(tmp_path, name)
    model = llmtrace.load(name)
    assert (model.reference, model.name) == (str(folder), name)
    assert model.logits([0, 2]).tobytes() == llmtrace.load(folder).logits([0, 2]).tobytes()


def test_where_the_cache_is(tmp_path, monkeypatch):
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert cached("a/b") is None
    assert put(tmp_path / "hub", "a/b") == cached("a/b")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert put(tmp_path / "x" / "huggingface" / "hub", "c") == cached("c")
    monkeypatch.setenv("HUGGINGFACE_HUB_CACHE", "$XDG_CACHE_HOME/older")
    assert put(tmp_path / "x" / "older", "d") == cached("d")


@pytest.mark.parametrize("name", ["../a", "a/../b", "a//b", "a/b/c", "", ".", "a\0b", "a\nb", "x" * 1000])
def test_names_that_are_none(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert cached(name) is None


@pytest.mark.parametrize("said", ["../../../etc", "main", "0123456", "x" * 5000, "\n"])
def test_a_reference_that_leads_elsewhere(tmp_path, monkeypatch, said):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    put(tmp_path, "a/b", said=said)
    with pytest.raises(ModelError, match="there is no model 'a/b'"):
        llmtrace.load("a/b")
