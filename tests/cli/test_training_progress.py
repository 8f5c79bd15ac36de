"""`llmtrace train` on a terminal: a view that is redrawn, and fits."""

import os
import pty
import re
import shlex

import pytest
from helpers.terminal import process
from helpers.train_command import TEXT, TINY
from rich.console import Console

from llmtrace.cli.training_progress import Told
from llmtrace.training import Progress
from llmtrace.views.training import Point, TrainingView, duration, outcome


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with a book in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT)


def on_a_terminal(line, **environment):
    """What a terminal of 80 × 24 is sent."""
    leader, follower = pty.openpty()
    more = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", **environment}
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), follower)
    with process("train", *shlex.split(line), env=more, **streams) as child:
        os.close(follower)
        parts = []
        try:
            while part := os.read(leader, 1 << 16):
                parts.append(part)
        except OSError:  # how Linux says that the other end was closed
            pass
        assert child.wait() == 0
    os.close(leader)
    return b"".join(parts).decode()


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}])
def test_on_a_terminal_it_is_live(environment):
    sent = on_a_terminal(f"book.txt -o m {TINY} --steps 6 --report 2", **environment)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent)
    for said in ("step 6 of 6", "* loss in training   o loss on held-out text", "it writes: The king", "Try it:"):
        assert said in text
    assert "\x1b[1A" in sent
    assert ("PYTHONIOENCODING" in environment) <= text.isascii()
    if "NO_COLOR" in environment:
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", sent)


def view(**more):
    reports = [Point(1, 6.0, 6.1), Point(50, 4.0, 4.2), Point(100, 3.0, 3.5), Point(150, 2.5, 3.6)]
    latest = Progress(150, 2.5, 3.6, 1.0, 1e-3, 12345.0, 250.0)
    return TrainingView(400, 152, reports, latest, ("The king", " 中文 \x1b[31m had \n a child" * 4), **more)


@pytest.mark.parametrize("width", [1, 12, 20, 40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_view_fits(width, encoding, tmp_path):
    with (tmp_path / "out").open("w", encoding=encoding) as file:
        console = Console(file=file, width=width, height=24, force_terminal=True, markup=False, highlight=False)
        for thing in (view(), TrainingView(10)):
            lines = console.render_lines(thing, pad=False)
            text = ["".join(s.text for s in line) for line in lines]
            assert all(sum(s.cell_length for s in line) <= max(width, 2) for line in lines)
            assert "\x1b" not in "".join(text)
            assert encoding == "utf-8" or "".join(text).isascii()
            assert width < 80 or len(lines) < 20
    if width == 80:
        first, _bar, last = ("".join(s.text for s in part) for part in console.render_lines(view())[:3])
        assert first.rstrip() == "step 152 of 400   12,345 tokens/s   4:08 min left"
        assert last.startswith("step 150: loss 2.5000; on held-out text 3.6000, the best was 3.5000 after step")


def test_times_and_outcomes():
    assert [duration(s) for s in (0, 11.2, 185, 3720)] == ["0 s", "12 s", "3:05 min", "1:02 h"]
    assert outcome([]) == "nothing was reported"
    assert outcome([Point(3, 1.0, None)]) == "step 3: loss 1.0000"
    assert outcome([Point(1, 2.0, 2.0), Point(3, 1.0, 2.5)]).endswith("the best was 2.0000 after step 1")


def test_a_preparation_is_told():
    with Told() as told:
        told("reading the text", 5, 10)
        told("learning the tokenizer", 0, 0)
