"""`llmtrace tokenize`: what it shows is what the tokenizer did."""

import json

import pytest
from click.testing import CliRunner
from helpers.small_tokenizer import TOKENIZER

from llmtrace.cli import main
from llmtrace.errors import ReplayError
from llmtrace.views.tokenization import view


def run(*arguments):
    return CliRunner().invoke(main, ["tokenize", *arguments], env={"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.fixture
def folder(tmp_path):
    TOKENIZER.save(tmp_path)
    return str(tmp_path)


def test_every_merge_is_shown_with_its_rank(folder):
    tokenization = TOKENIZER.explain("hello hello")
    shown = run("hello hello", "--model", folder, "--all").output
    for piece in tokenization.different:
        for merge in piece.merges:
            assert f"merge {merge.rank}: {merge.left} + {merge.right}" in shown
        for token in piece.tokens:
            assert f"→ {token.id}  {token.text!r}" in shown
    assert f"ids: {' '.join(map(str, tokenization.ids))}" in shown


def test_json_is_the_tokenization(folder):
    shown = json.loads(run("hello", "--model", folder, "--json").output)
    assert shown == {**TOKENIZER.explain("hello").to_dict(), "ids": TOKENIZER.encode("hello")}


def test_long_texts_are_summarised(folder):
    short = run("hello " * 500 + "x" * 3000, "--model", folder).output
    assert len(short.splitlines()) < 100
    assert len(run("".join(map(chr, range(33, 127))), "--model", folder).output.splitlines()) < 100


def test_hostile_text_is_inert(folder):
    result = run("\x1b[31m[bold]\r\x00‮", "--model", folder)
    assert result.exit_code == 0
    assert not {c for c in result.output if ord(c) < 32 and c != "\n"}
    assert "[bold]" in result.output


def test_a_wrong_record_is_not_shown():
    tokenization = TOKENIZER.explain("hello")
    data = tokenization.to_dict()
    data["pieces"][0]["tokens"][0][1] = "zz"
    with pytest.raises(ReplayError):
        view(type(tokenization).from_dict(data))


def test_errors_are_one_line(tmp_path):
    for arguments in (["x", "--model", str(tmp_path)], ["x", "--model", "no-such-model"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert len(result.output.strip().splitlines()) == 1
