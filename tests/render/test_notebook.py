"""What a notebook shows: cells that fold, one head by itself, hints in Python, and short names of things."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.display import asked, on_command_line
from llmtrace.errors import AddressError
from llmtrace.models import Feedforward
from llmtrace.tokenizers import CharacterTokenizer

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def model():
    return llmtrace.load()


@pytest.fixture(scope="module")
def trace(model):
    return model.trace("The king had a child, a girl.")


def cell(thing):
    return thing._repr_mimebundle_()["text/html"]


def things(model, trace):
    generation = model.generate("The king", 3)
    return [
        trace,
        trace["block.1.attn.pattern"],
        trace["block.1.attn.q"],
        trace["logits"],
        trace.explain("block.1.attn.q[0, 0, 0]"),
        next(generation),
        model.tokenizer.explain("The king"),
        model,
        model.tokenizer,
        small_gpt(),
        CharacterTokenizer({"a": 0, "b": 1, "c": 2}),
        small_gpt(blocks=14).trace("CBA"),
        Feedforward.of(np.ones((1, 3), np.float32)).trace(np.ones(3, np.float32)),
    ]


def test_a_run_folds(trace):
    """The whole picture is open; each part below is closed under its heading, and nothing is lost."""
    html = cell(trace)
    first, *parts = html.split("<details><summary>")
    assert "final norm" in first
    assert [
        part.partition("</summary>")[0].replace('<span class="heading">', "").replace("</span>", "") for part in parts
    ][:3] == [
        "Embedding",
        "Block 0: attention",
        "Block 0: MLP",
    ]
    assert html.count("<details") == html.count("</details>")
    assert html.count("<details><summary>") < len(html) / 1000
    text = re.sub(r"<[^>]*>", "", html)
    for name in trace:
        assert name in text or not re.search(rf"\b{re.escape(name)}\b", as_text(trace))


def test_what_is_short_stays_open(trace):
    assert "<details><summary>" not in cell(trace["block.1.attn.q"])


def test_hints_are_those_of_where_one_is(model, trace):
    """In Python nothing speaks of the command line, there nothing speaks of Python."""
    for thing in things(model, trace):
        bundle = thing._repr_mimebundle_()
        for text in bundle.values():
            assert not re.search(r"--[a-z]|llmtrace (explain|show|trace)\b", re.sub("<[^>]*>", "", text)), repr(thing)
    for arguments in (["trace", "The king"], ["show", "block.1.attn.pattern"], ["explain", "block.1.attn.q[0, 0, 0]"]):
        text = said(*arguments)
        assert ".show(" not in text
        assert re.search(r"--[a-z]|llmtrace explain", text)
    with on_command_line():
        assert asked("a", "b") == "a"
    assert asked("a", "b") == "b"


def test_hints_work(trace):
    """What a hint says to type does something."""
    text = as_text(trace["block.1.attn.pattern"], width=200)
    (address,) = re.findall(r"trace\.explain\((.*)\)\.show\(\)", text)
    assert trace.explain(eval(address)).address in text
    assert ".show(head=0)" in text


@pytest.mark.parametrize("name", ["block.1.attn.pattern", "block.1.attn.scores", "block.1.attn.q"])
def test_one_head(trace, name, capsys):
    for head in range(4):
        trace[name].show(head=head)
        printed = capsys.readouterr().out
        assert f"{name}[head={head}]" in printed
        command = said("show", name, "--head", str(head), "--prompt", "The king had a child, a girl.")
        assert printed.splitlines()[0] == command.splitlines()[0]
        assert printed.splitlines()[5:12] == command.splitlines()[5:12]
    with pytest.raises(AddressError, match="has no head 4"):
        trace[name].show(head=4)


def test_other_looks(trace, capsys):
    trace["block.1.mlp.up"].show(neuron=7)
    assert "neuron 7" in capsys.readouterr().out
    trace.show("logits", position=2)
    assert "at place 2" in capsys.readouterr().out
    trace.show("residual")
    assert "residual" in capsys.readouterr().out
    trace.show(layer=1)
    printed = capsys.readouterr().out
    assert "Block 1: attention" in printed
    assert "Block 0" not in printed
    with pytest.raises(AddressError):
        trace["block.1.mlp.up"].show(head=1)


def test_in_a_notebook_show_makes_a_cell(trace, monkeypatch, capsys):
    shown = []
    python = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1))
    monkeypatch.setitem(sys.modules, "IPython", python)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    trace["block.1.attn.pattern"].show(head=1)
    trace.explain("logits[0, 0]").show()
    assert capsys.readouterr().out == ""
    assert all("<article" in cell(each) for each in shown)
    assert len(shown) == 2
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    trace["block.1.attn.pattern"].show(head=1)
    assert len(shown) == 2


def test_short_names(model, trace):
    generation = model.generate("The king", 3)
    choice = next(generation)
    assert repr(choice) == f"<Choice 0: {choice.text!r}, id {choice.id}>"
    assert repr(generation) == "<Generation after 3 tokens: 1 of 3 tokens>"
    assert repr(model.tokenizer) == "<ByteLevelBPE: 768 tokens>"
    assert repr(model.tokenizer.explain("The king")) == "<Tokenization of 'The king': 3 tokens>"
    assert repr(CharacterTokenizer({"a": 0, "b": 1})).startswith("<CharacterTokenizer: ")
    for thing in things(model, trace):
        assert len(repr(thing)) < 200
        assert " object at 0x" not in repr(thing)


def test_a_number_finds_no_step(trace):
    for wrong in (0, -1, slice(2), None):
        with pytest.raises(AddressError, match=r"found by its name, such as trace\['embed.token'\]"):
            trace[wrong]


def test_a_formula_has_a_bias_only_where_there_is_one(trace):
    assert trace.explain("logits[0, 0]").formula == "Σ x · weight"
    assert trace.explain("block.0.attn.q[0, 0, 0]").formula == "Σ x · weight + bias"
    for step in trace.steps:
        formula = trace.explain(step.name, *[0] * len(step.axes)).formula
        if "bias" in step.record.operands:
            assert formula.endswith("+ bias") == (step.record.operands["bias"] is not None)
