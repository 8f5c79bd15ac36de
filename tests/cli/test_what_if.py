"""`llmtrace what-if`: what it shows is what the edit has done; a recipe does it again."""

import json

import numpy as np
import pytest
from helpers.cli_run import run, said

import llmtrace
from llmtrace.experiments import what_if

P = "The king had a child, a girl, and the old lamp will belong to"

pytestmark = pytest.mark.usefixtures("own_state")


def shown(*arguments, code=0):
    return said("what-if", P, *arguments, code=code, env={"COLUMNS": "80", "NO_COLOR": "1"})


def test_steps_and_next_tokens_are_shown():
    text = shown("--off", "head:2.2")
    found = what_if(llmtrace.load().trace(P), {"head:2.2": 0.0})
    for step in ("block.2.attn.mix", "block.2.mlp.act", "logits"):
        row = next(line for line in text.splitlines() if line.split()[:1] == [step])
        assert row.split()[1] == f"{found.changes.count(step):,}"
    assert "block.1" not in text
    assert "head:2.2 becomes 0" in text
    row = next(line for line in text.splitlines() if "' him'" in line)
    assert row.split()[2:] == ["0.0004793", "%", "14.94", "%"]


def test_json_holds_the_numbers():
    data = json.loads(shown("--swap", "8= boy", "--json"))
    found = what_if(llmtrace.load().trace(P), {"token:8": " boy"})
    steps = {each["step"]: each for each in data["steps"]}
    assert steps["logits"]["changed"] == found.changes.count("logits")
    assert np.float32(data["next_token"][0]["after"]) == found.after.tensor("probabilities")[-1].max()
    assert data["changed"] == sum(each["changed"] for each in data["steps"])


def test_what_comes_next_stands_first_and_is_named():
    text = shown("--swap", "8= boy")
    assert text.index("The next token:") < text.index("other bits  ")
    row = next(line for line in text.splitlines() if line.split()[:1] == ["next_token"])
    assert row.split()[1:] == ["2", "17", "'", "her'", "'", "him'"]


@pytest.mark.parametrize(
    "edits",
    [
        ["--swap", "8= boy", "--off", "neuron:1.7"],
        ["--set", "block.2.attn.pattern[head=2, query=16, key=8]=0.123456789"],
        ["--set", "block.0.ln_1.gain[3]=1.5", "--set", "logits[-1, 5]=-0.0"],
    ],
)
def test_a_recipe_gives_the_same_bits(edits, tmp_path):
    recipe, first, second = (str(tmp_path / name) for name in ("r.json", "a.trace", "b.trace"))
    shown(*edits, "--recipe", recipe, "-o", first)
    run("trace", "--recipe", recipe, "-o", second)  # the text is that of the recipe
    a, b = llmtrace.open(first), llmtrace.open(second)
    assert list(a) == list(b)
    assert all(a.tensor(name).tobytes() == b.tensor(name).tobytes() for name in a)
    run("verify", first)
    run("explain", "logits[-1, 5]", "--trace", first)
    run("show", first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing is changed"),
        (["--set", "logits"], "--set is written ADDRESS=NUMBER"),
        (["--set", "logits[0]=x"], "--set is written ADDRESS=NUMBER"),
        (["--swap", "8"], "--swap is written PLACE=TEXT"),
        (["--off", "head"], "nothing is named"),
        (["--off", "head:9.9"], "there is no block 9"),
        (["--set", "logits[99, 0]=1"], "outside"),
        (["--swap", "8=boy"], "did you mean ' boy'?"),
        (["--swap", "8=zzzz"], "is not one token of this model"),
        (["--swap", "girl= boy"], "the tokens have the numbers 0 to 16; ' girl' is at place 8"),
        (["--swap", "a= boy"], "' a' is at place 4, 7"),
        (["--swap", "zebra= boy"], "the tokens have the numbers 0 to 16"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line(arguments, message):
    text = shown(*arguments, code=2)
    assert message in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"llmtrace": "recipe"}', '{"llmtrace": "recipe", "version": 2, "edits": []}', "[" * 9999]
)
def test_what_is_no_recipe_is_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    answer = said("trace", P, "--recipe", str(tmp_path / "r.json"), code=2)
    assert any(words in answer for words in ("is no recipe", "is not valid JSON", "is empty"))
    assert "can't be read" in said("trace", P, "--recipe", str(tmp_path / "missing"), code=2)
