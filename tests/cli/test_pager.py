"""The pager: on a terminal, output that is longer than the screen; never anywhere else, and without a trace of trouble."""

import os
import re
import subprocess
import sys

import pytest
from helpers.small_models import write_folder
from helpers.terminal import Terminal, piped

from llmtrace.cli import pager

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(write_folder(tmp_path_factory.mktemp("pager") / "model"))


SHOWN = f"{sys.executable} -IS -c \"import sys; print('PAGED', len(sys.stdin.read()) > 5000)\""


def test_a_pager_gets_what_is_longer_than_the_screen(folder):
    terminal = Terminal("trace", "CBABBC", "--model", folder, PAGER=SHOWN)
    assert terminal.code() == 0
    assert "PAGED True" in terminal.text
    assert "reads 6 tokens" not in terminal.text


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "logits[0, 0]", "--prompt", "CBABBC", "--depth", "3"],
        ["show", "--prompt", "CBABBC"],
        ["tokenize", "CAB" * 40, "--all"],
    ],
)
def test_every_long_output(folder, arguments):
    for option, paged in (([], True), (["--no-pager"], False)):
        terminal = Terminal(*arguments, *option, "--model", folder, PAGER=SHOWN, LINES="5")
        assert terminal.code() == 0
        assert ("PAGED" in terminal.text) == paged


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--no-pager"], {"PAGER": SHOWN}),
        ([], {"PAGER": ""}),
        ([], {"PAGER": SHOWN, "TERM": "dumb"}),
        (["--json"], {"PAGER": SHOWN}),
    ],
)
def test_no_pager(folder, arguments, environment):
    terminal = Terminal("trace", "CBABBC", "--model", folder, *arguments, **environment)
    assert terminal.code() == 0
    assert "PAGED" not in terminal.text
    assert "probability" in terminal.text


def test_short_output_needs_no_pager(folder):
    terminal = Terminal("trace", "CBABBC", "--model", folder, PAGER=SHOWN, LINES="2000")
    assert terminal.code() == 0
    assert "PAGED" not in terminal.text


def test_a_pager_that_is_not_there(folder):
    terminal = Terminal("trace", "CBABBC", "--model", folder, PAGER="/nowhere/less")
    assert terminal.code() == 0
    assert "probability" in terminal.text


@pytest.mark.parametrize("pager", ["true", "head -1"])
def test_a_pager_that_reads_little(folder, pager):
    terminal = Terminal("trace", "CBABBC", "--model", folder, "--all", PAGER=pager)
    assert terminal.code() == 0
    assert "Error" not in terminal.text


def test_an_interruption_is_for_the_pager(folder):
    """Ctrl-C reaches both; the pager decides, and there is no traceback."""
    pager = "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: sys.exit(0)); sys.stdin.read(); "
    pager += "print('READY', flush=True); time.sleep(30)"
    terminal = Terminal("trace", "CBABBC", "--model", folder, PAGER=f'exec {sys.executable} -c "{pager}"')
    terminal.read("READY")
    os.write(terminal.end, b"\x03")
    assert terminal.code() == 0


LESS = subprocess.run("less --version", shell=True, capture_output=True).returncode == 0


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}, {"LESS": "-S"}])
def test_less(folder, colour):
    terminal = Terminal("trace", "CBABBC", "--model", folder, **colour)
    if not LESS:  # then there are no pages
        assert terminal.code() == 0
        assert "probability" in terminal.text
        return
    terminal.read("adds most")
    if "LESS" not in colour:
        terminal.read("space: next page, b: back, q: quit")
    assert "probability" not in terminal.text
    assert "ESC[" not in terminal.text
    assert bool(re.search(r"\x1b\[[\d;]*[34][0-7]m", terminal.text)) == (not colour)
    os.write(terminal.end, b"q")
    assert terminal.code() == 0


def test_less_in_chinese_says_what_to_press(folder):
    terminal = Terminal("trace", "CBABBC", "--model", folder, LLMTRACE_LANG="zh", LC_ALL="C.UTF-8")
    if not LESS:
        assert terminal.code() == 0
        return
    terminal.read("SPACE / b / q")
    assert "空格" in terminal.text
    assert "<U+" not in terminal.text
    os.write(terminal.end, b"q")
    assert terminal.code() == 0


@pytest.mark.parametrize("lines", [1, 22, 23, 24, 46, 47, 100])
def test_the_last_page_is_a_whole_one(lines):
    content = "".join(f"{n}\n" for n in range(lines))
    assert pager.pages(content, "less -R", 24).count("\n") % 23 == 0
    assert pager.pages(content, "less -R", 24).startswith(content)
    assert pager.pages(content, "more", 24) == content


def test_never_in_a_pipe(folder):
    out, error = piped("trace", "CBABBC", "--model", folder, PAGER=SHOWN)
    assert out.startswith(b"model reads 6 tokens")
    assert b"\x1b" not in out
    assert error == b""
