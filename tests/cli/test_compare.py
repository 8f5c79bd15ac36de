"""`llmtrace compare`: prompts, files, models."""

import json

import pytest
from helpers.cli_run import run, said
from helpers.small_models import write_folder

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
