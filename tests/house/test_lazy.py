"""Public names are there when they are asked for, and what nobody asked for is not imported."""

import subprocess
import sys

import pytest

import llmtrace.models
import llmtrace.tokenizers
from llmtrace import lazy


@pytest.mark.parametrize("package", [llmtrace, llmtrace.models, llmtrace.tokenizers])
def test_every_public_name_is_there(package):
    assert sorted(dir(package)) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_other_names_are_not():
    with pytest.raises(AttributeError, match=r"module 'llmtrace.models' has no attribute 'Nothing'"):
        llmtrace.models.Nothing  # noqa: B018
    assert lazy.attribute("llmtrace.models.gpt.GPT") is llmtrace.models.GPT


def test_a_trace_imports_what_it_needs():
    """Other families, formats and trainings wait until they are named: each would cost every start of every command."""
    code = """
import sys, llmtrace, llmtrace.render
trace = llmtrace.load().trace("The king had a child, a girl.")
print(llmtrace.render.render(trace, "terminal")[:0] + " ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = [name for name in done.stdout.split() if name.startswith("llmtrace")]
    unwanted = ("llama", "transformer", "feedforward", "gguf", "training", "unigram", "wordpiece", "sentencepiece")
    assert not [name for name in loaded for each in unwanted if each in name]
    assert "llmtrace.weights.gpt" in loaded
