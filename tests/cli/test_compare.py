"""`llmtrace compare`: prompts, files, models."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers.cli_run import run, said
from helpers.small_models import write_folder

from llmtrace import load

pytestmark = pytest.mark.usefixtures("own_state")


def test_prompts_and_files_are_compared(tmp_path):
    file = str(tmp_path / "king.trace")
    run("trace", "The king had a girl.", "-o", file)
    for other in ("The king had a boy.", "The king had a girl."):
        texts = [said("compare", first, other, env={"COLUMNS": "80"}) for first in ("The king had a girl.", file)]
        assert texts[0] == texts[1]
    assert "have the same bits" in texts[0]


def test_json_holds_the_steps():
    data = json.loads(said("compare", "The king had a girl.", "The king had a boy.", "--json"))
    assert data["first"][0].startswith("embed.token[")
    assert {step["name"] for step in data["steps"]} >= {"logits", "block.2.attn.pattern"}


def test_models_are_compared(tmp_path):
    write_folder(tmp_path / "a"), write_folder(tmp_path / "b", blocks=1)
    text = said("compare", "CAB", "CAB", "--model", str(tmp_path / "a"), "--other-model", str(tmp_path / "b"))
    assert "Only in the first run" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.trace", "The king"], "missing.trace can't be read"),
        (["", "The king"], "the prompt is empty"),
        (["The king", "The king", "--other-model", "nowhere"], "there is no model 'nowhere'"),
    ],
)
def test_what_can_not_be_compared_is_said_in_a_line(arguments, message):
    assert message in said("compare", *arguments, code=2)


def test_ids_instead_of_prompts(tmp_path):
    folder = write_folder(tmp_path / "bare")
    (folder / "tokenizer.json").unlink()
    data = json.loads(said("compare", "--ids", "0 1 2", "--ids", "0 0 2", "--model", str(folder), "--json"))
    assert data["first"][0].startswith("embed.token[position=1")
    file = str(tmp_path / "a.trace")
    run("trace", "--ids", "2 0 1", "--model", str(folder), "-o", file)
    assert "have the same bits" in said("compare", "--ids", "2 0 1", file, "--model", str(folder))
    for wrong in (["--ids", "2 0"], [], ["A"], ["--ids", "1", "A", "B"]):
        assert "give two runs to compare" in said("compare", *wrong, "--model", str(folder), code=2)


def test_layers_and_streams():
    texts = ("The king had a girl.", "The king had a boy.")
    data = json.loads(said("compare", *texts, "--json"))
    assert sum(layer["differ"] for layer in data["layers"]) == sum(step["differ"] for step in data["steps"])
    assert sum(layer["size"] for layer in data["layers"]) == sum(step["size"] for step in data["steps"])
    steps, far = data["streams"]["steps"], data["streams"]["distances"]
    assert steps[0] == "embed"
    assert len(far) == len(steps)
    runs = [load("storyteller").trace(text) for text in texts]
    for name, row in zip(steps, far, strict=True):
        a, b = (run.tensor(name).astype(float) for run in runs)
        most = [max(abs(x).max(), abs(y).max()) for x, y in zip(a, b, strict=True)]
        assert row == pytest.approx([abs(x - y).max() / m for x, y, m in zip(a, b, most, strict=True)])
    assert far[-1][0] == 0  # nothing looks ahead
    assert "most in" in said("compare", *texts, env={"COLUMNS": "100"})


def test_nothing_compared_is_no_agreement():
    """Nor are all numbers compared where only the beginning is the same."""
    assert "No number can be compared" in said("compare", "hello", "1 2 3")
    assert "numbers that can be compared have the same bits" in said("compare", "The king", "The king had a child")
    assert re.search(r"All [\d,]+ numbers have the same bits", said("compare", "The king", "The king"))


def test_what_does_not_follow_is_told_even_to_who_stops_reading(tmp_path):
    """A closed pipe ends a command well, but not a check that failed."""
    trace = load().trace("The king had a child")
    right = {"tokens": trace.tensor("tokens"), "logits": trace.tensor("logits"), "ln_f": trace.tensor("ln_f")}
    np.savez(tmp_path / "right.npz", **right)
    np.savez(tmp_path / "wrong.npz", **{**right, "logits": right["logits"] * np.float32(1.5)})
    for file, code in (("right", 0), ("wrong", 1)):
        command = [sys.executable, "-m", "llmtrace", "compare", "The king had a child", f"{file}.npz"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == code
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            child.stdout.close()
            assert (child.stderr.read(), child.wait()) == (b"", code)
