"""`llmtrace tokenize`: what it shows is what the tokenizer did."""

import json

import pytest
from helpers.cli_run import run
from helpers.small_tokenizer import TOKENIZER

from llmtrace.errors import ReplayError
from llmtrace.views.tokenization import view


def tokenize(*arguments, code=0):
    return run("tokenize", *arguments, code=code, env={"COLUMNS": "80", "NO_COLOR": "1"}).output


@pytest.fixture
def folder(tmp_path):
    TOKENIZER.save(tmp_path)
    return str(tmp_path)


def test_every_merge_is_shown_with_its_rank(folder):
    tokenization = TOKENIZER.explain("hello hello")
    shown = tokenize("hello hello", "--model", folder, "--all")
    for piece in tokenization.different:
        for merge in piece.merges:
            assert f"merge {merge.rank}: {merge.left} + {merge.right}" in shown
        for token in piece.tokens:
            assert f"→ {token.id}  {token.text!r}" in shown
    assert f"ids: {' '.join(map(str, tokenization.ids))}" in shown


def test_json_is_the_tokenization(folder):
    shown = json.loads(tokenize("hello", "--model", folder, "--json"))
    assert shown == {**TOKENIZER.explain("hello").to_dict(), "ids": TOKENIZER.encode("hello")}


def test_long_texts_are_summarised(folder):
    short = tokenize("hello " * 500 + "x" * 3000, "--model", folder)
    assert len(short.splitlines()) < 100
    assert len(tokenize("".join(map(chr, range(33, 127))), "--model", folder).splitlines()) < 100


def test_hostile_text_is_inert(folder):
    output = tokenize("\x1b[31m[bold]\r\x00‮", "--model", folder)
    assert not {c for c in output if ord(c) < 32 and c != "\n"}
    assert "[bold]" in output


def test_a_wrong_record_is_not_shown():
    tokenization = TOKENIZER.explain("hello")
    data = tokenization.to_dict()
    data["pieces"][0]["tokens"][0][1] = "zz"
    with pytest.raises(ReplayError):
        view(type(tokenization).from_dict(data))


def test_errors_are_one_line(tmp_path):
    for arguments in (["x", "--model", str(tmp_path)], ["x", "--model", "no-such-model"]):
        assert len(tokenize(*arguments, code=2).strip().splitlines()) == 1
