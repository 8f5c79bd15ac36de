"""`--plain`: every command speaks in sentences, without anything drawn, aligned, coloured or wiped."""

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from llmtrace.cli import main

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
    ("learn", "playground"),
    ("doctor",),
]


@pytest.mark.parametrize(
    ("arguments", "language"),
    [*((arguments, "en") for arguments in COMMANDS), (COMMANDS[1], "zh"), (COMMANDS[4], "zh"), (COMMANDS[11], "zh")],
    ids=str,
)
def test_nothing_is_drawn(own_state, monkeypatch, arguments, language):
    monkeypatch.setenv("LLMTRACE_LANG", language)
    monkeypatch.setenv("LLMTRACE_MODEL", "storyteller")
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = CliRunner().invoke(main, [*arguments, "--plain"])
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout
    assert not set("█▁▂▃▄▅▆▇─│├└") & set(done.stdout)
    assert not re.search(r"\S {3,}\S", done.stdout)


def test_the_environment_can_ask_for_it(own_state, monkeypatch):
    asked = CliRunner().invoke(main, [*COMMANDS[1], "--plain"]).stdout
    monkeypatch.setenv("LLMTRACE_PLAIN", "1")
    assert CliRunner().invoke(main, COMMANDS[1]).stdout == asked
    monkeypatch.setenv("LLMTRACE_PLAIN", "0")
    assert CliRunner().invoke(main, COMMANDS[1]).stdout != asked


def test_a_terminal_that_can_do_nothing_is_spoken_to_plainly():
    command = "[sys.executable, '-m', 'llmtrace', 'show', 'logits', '--prompt', 'The king']"
    code = f"import pty, sys; sys.exit(pty.spawn({command}) >> 8)"
    for term, plain in (("dumb", True), ("xterm-256color", False)):
        environment = os.environ | {"TERM": term, "PAGER": "", "LLMTRACE_LANG": "en"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
        assert ("score" in done.stdout and "█" not in done.stdout) == plain


@pytest.mark.parametrize("line", ["trace 中华", "explain logits[-1,0] --prompt 中华"])
def test_marks_between_chinese_words_are_full_width(line, own_state):
    said = CliRunner().invoke(main, [*line.split(), "--plain", "--lang", "zh"]).output
    assert said.count("\n") > 5
    assert not re.search(r"; \d|[，。；：？！] ", said), said
