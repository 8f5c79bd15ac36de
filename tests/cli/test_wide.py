"""Terminals that draw signs whose width Unicode leaves open (East Asian Width A) as wide as Chinese characters."""

import unicodedata

import pytest
from click.testing import CliRunner
from helpers.fresh import some

from llmtrace.cli import COMMANDS, main

P = "The king had a child, a girl."
M = ("--model", "storyteller")
SCORE = "block.0.attn.scores[0, 3, 1]"
RUNS = [
    ("trace", P, *M),
    ("explain", SCORE, "--prompt", P, *M),
    ("show", "residual", "--prompt", P, *M),
    ("what-if", P, "--off", "head:2.1", *M),
    ("compare", P, P[:-1], *M),
    ("ledger", P, *M),
    ("surprise", P, *M),
    ("tokenize", P, *M),
    ("generate", P, "--steps", "2", "--table", *M),
    ("learn", "perceptron"),
    ("doctor",),
]


@pytest.fixture(autouse=True)
def wide(own_state, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LLMTRACE_WIDE", "1")


def open_widths(text):
    return {sign for sign in text if unicodedata.east_asian_width(sign) == "A"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("command", RUNS, ids=lambda command: " ".join(command)[:30])
def test_no_sign_has_a_width_that_is_open(command, language):
    done = CliRunner().invoke(main, ["--lang", language, *command])
    assert done.exit_code == 0
    assert not open_widths(done.output)
    assert any(map(str.isalpha, done.output))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_help_has_such_a_sign(language):
    for command in [(), *((each,) for each in some(COMMANDS, 7))]:
        done = CliRunner().invoke(main, ["--lang", language, *command, "--help"])
        assert done.exit_code == 0
        assert not open_widths(done.output), command
        assert any(map(str.isalpha, done.output))


def test_only_where_it_is_said(monkeypatch):
    asked = ["ledger", P, *M]
    for said in ("0", ""):
        monkeypatch.setenv("LLMTRACE_WIDE", said)
        assert open_widths(CliRunner().invoke(main, asked).output)


def test_files_are_no_terminals(tmp_path):
    file = tmp_path / "a.txt"
    assert CliRunner().invoke(main, ["ledger", P, *M, "-o", str(file)]).exit_code == 0
    assert open_widths(file.read_text("utf-8"))
