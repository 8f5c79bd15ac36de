"""`--plain`: every command speaks in sentences, without anything drawn, aligned, coloured or wiped."""

import re
from functools import cache

import pytest
from click.testing import CliRunner
from helpers.cli_run import run
from helpers.terminal import Terminal
from rich.cells import cell_len

from llmtrace.cli import main
from llmtrace.lessons.playground.lesson import RECIPES

PROMPT = "The king had a child, a girl."
COMMANDS = [
    ("trace", PROMPT),
    ("explain", 'logits[-1, " her"]', "--prompt", PROMPT, "--depth", "2"),
    ("show", "--prompt", PROMPT),
    ("show", "block.0.attn.pattern", "--prompt", PROMPT),
    ("show", "block.2.attn.pattern", "--head", "1", "--prompt", PROMPT),
    ("show", "block.0.mlp.up", "--neuron", "17", "--prompt", PROMPT),
    ("show", "residual", "--prompt", PROMPT),
    ("show", "logits", "--prompt", PROMPT),
    ("tokenize", PROMPT),
    ("generate", PROMPT, "--steps", "2", "--explain"),
    ("learn",),
    ("learn", "vectors-and-spaces"),
    ("learn", "matrices-as-projections"),
    ("learn", "playground", "--set", "batch=125", "--set", "epochs=2"),
    ("doctor",),
]


@pytest.fixture(scope="module")
def plainly():
    """What a command says in plain words, where colours are asked for; each is run once for all tests.

    The nets of lessons are trained in few steps, and few words looked up: their numbers are not what is looked at.
    """

    @cache
    def said(arguments, language):
        environment = {"LLMTRACE_LANG": language, "LLMTRACE_MODEL": "storyteller", "FORCE_COLOR": "1"}
        return run(*arguments, "--plain", env=environment).stdout

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llmtrace.lessons.training.lesson.FITTED", (0, 3, 10))
        patch.setattr("llmtrace.lessons.playground.lesson.STOPS", (0, 1, 2))
        patch.setattr("llmtrace.lessons.playground.lesson.RECIPES", {k: v | {"epochs": 1} for k, v in RECIPES.items()})
        patch.setattr("llmtrace.lessons.matrices_as_projections.lesson.MatricesAsProjections.vocabulary", 10_000)
        yield said


@pytest.mark.parametrize(
    ("arguments", "language"),
    [*((arguments, "en") for arguments in COMMANDS), (COMMANDS[1], "zh"), (COMMANDS[4], "zh"), (COMMANDS[11], "zh")],
    ids=str,
)
def test_nothing_is_drawn(own_state, plainly, arguments, language):
    said = plainly(arguments, language)
    assert "\x1b" not in said
    assert "\r" not in said
    assert not set("█▁▂▃▄▅▆▇─│├└") & set(said)
    assert not re.search(r"\S {3,}\S", said)


def test_the_environment_can_ask_for_it(own_state, monkeypatch):
    asked = CliRunner().invoke(main, [*COMMANDS[1], "--plain"]).stdout
    monkeypatch.setenv("LLMTRACE_PLAIN", "1")
    assert CliRunner().invoke(main, COMMANDS[1]).stdout == asked
    monkeypatch.setenv("LLMTRACE_PLAIN", "0")
    assert CliRunner().invoke(main, COMMANDS[1]).stdout != asked


def test_a_terminal_that_can_do_nothing_is_spoken_to_plainly():
    for term, plain in (("dumb", True), ("xterm-256color", False)):
        terminal = Terminal("show", "logits", "--prompt", "The king", TERM=term, PAGER="")
        assert terminal.code() == 0
        assert ("score" in terminal.text and "█" not in terminal.text) == plain


@pytest.mark.parametrize("line", ["trace 中华", "explain logits[-1,0] --prompt 中华"])
def test_marks_between_chinese_words_are_full_width(line, own_state):
    said = CliRunner().invoke(main, [*line.split(), "--plain", "--lang", "zh"]).output
    assert said.count("\n") > 5
    assert not re.search(r"; \d|[，。；：？！] ", said), said


@pytest.mark.parametrize(
    "arguments", [("trace", PROMPT), ("learn", "vectors-and-spaces"), ("trace", "--help"), ()], ids=str
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_paragraph_is_one_line(own_state, computed_once, monkeypatch, arguments, language):
    """In a pipe; as wide as is asked, its lines are those of the words."""
    monkeypatch.setenv("LLMTRACE_PLAIN", "1")
    monkeypatch.setenv("LLMTRACE_LANG", language)
    monkeypatch.setenv("LLMTRACE_MODEL", "storyteller")
    monkeypatch.setenv("COLUMNS", "60")
    whole = CliRunner().invoke(main, arguments).stdout
    assert max(map(len, whole.split("\n"))) > 72
    assert not set("╭│╰─") & set(whole)
    if "--help" in arguments or not arguments:
        return
    narrow = CliRunner().invoke(main, [*arguments, "--width", "60"]).stdout
    assert max(map(cell_len, narrow.split("\n"))) <= 60
    assert "".join(narrow.split()) == "".join(whole.split())


def test_no_minus_sign_is_passed_over(own_state, plainly):
    """U+2212 stands only where it was typed or in a token."""
    for arguments in (*COMMANDS, ("accuracy", "The king"), ("ledger", "The king"), ("learn", "training")):
        assert "−" not in plainly(arguments, "en"), arguments
    said = CliRunner().invoke(main, ["tokenize", "3 − 4 −x", "--plain"]).stdout
    assert "'3 − 4 −x'" in said


@pytest.mark.parametrize("name", [(), ("block.0.attn.pattern", "--head", "1")])
def test_of_what_is_long_its_size_is_said_first(own_state, name):
    command = ["show", *name, "--prompt", f"{PROMPT} {PROMPT}", "--plain"]
    short, whole = (CliRunner().invoke(main, [*command, *more]).stdout for more in ([], ["--all"]))
    (told,) = re.findall(r"^(\d+) rows .*, of which (\d+) are read; --all reads them all$", short, re.M)
    assert f"{told[0]} rows " in whole
    assert "of which" not in whole
    rows = [line for line in short.split("\n") if re.match(r"name |\d+ '", line)]
    every = [line for line in whole.split("\n") if re.match(r"name |\d+ '", line)]
    assert (len(rows), len(every)) == (int(told[1]), int(told[0]))
    assert set(rows) < set(every)


def test_it_can_be_asked_for_before_the_command(own_state):
    after = CliRunner().invoke(main, [*COMMANDS[1], "--plain"]).stdout
    assert CliRunner().invoke(main, ["--plain", *COMMANDS[1]]).stdout == after
    assert CliRunner().invoke(main, COMMANDS[1]).stdout != after
