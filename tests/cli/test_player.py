"""A product of matrices on a terminal: played, paused, step by step, typed; and the terminal is left as it was."""

import os
import re
import select
import signal
import termios
import time

import pytest
from helpers.screen import Screen
from helpers.terminal import Terminal

NAME = "matrices-as-projections"
PACE = 0.5


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Reader(Terminal):
    """Someone who reads the lesson on a pseudo-terminal, and looks at the screen before pressing a key."""

    def __init__(self, *arguments, **environment):
        super().__init__("learn", NAME, *arguments, **environment)
        for page in (1, 2):
            self.see(f"({page}/", "q")
            self.press("\r")
        self.see("(3/")

    def press(self, keys):
        os.write(self.end, keys.encode())

    def see(self, *texts):
        """Waits until all of these texts stand on the screen."""
        self.until(lambda: all(text in str(Screen(self.text)) for text in texts))
        return str(Screen(self.text))

    def until(self, so, seconds=30):
        """Reads until it is so."""
        limit = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < limit, str(Screen(self.text))
            self.more(0.1)

    def more(self, seconds=0.0):
        """Reads what is there; whether there was something."""
        if not select.select([self.end], [], [], seconds)[0]:
            return False
        try:
            part = os.read(self.end, 65536)
        except OSError:  # the other end is closed
            part = b""
        self.text += part.decode(errors="replace")
        return bool(part)

    def left_as_it_was(self, code):
        """Whether the program ended so, the keys are echoed again, and the cursor is seen."""
        self.until(lambda: termios.tcgetattr(self.end) == self.settings)
        assert self.code() == code
        assert not Screen(self.text).hidden


def test_it_plays_by_itself_and_waits_when_told(monkeypatch):
    monkeypatch.setattr("llmtrace.cli.player.PACE", PACE)
    reader = Reader()
    assert "a: animate   Enter: go on" in reader.see(
        "product[1, 1] = 4·8 + 5·10 + 6·12 = 32 + 50 + 72 = 154", "q: quit"
    )
    reader.press("a")
    shown = reader.see("product 0 of 12", "p: pause", "q: leave")
    assert "a: animate" not in shown
    reader.see("product 2 of 12", "[2×9 ]", "[ 25]")
    reader.press("p")
    reader.see("p: play")
    before = reader.see("q: leave")
    assert not reader.more(3 * PACE)
    assert reader.see("q: leave") == before
    reader.press("p")
    reader.see("p: pause", "product 4 of 12", "Column 0 of b lies over row 1 of a")
    reader.press("q")
    reader.see("(3/18)", "a: animate")
    reader.press("q")
    reader.left_as_it_was(0)


def test_step_by_step_and_back():
    reader = Reader()
    reader.press("a")
    reader.see("product 0 of 12")
    for n, key in [(1, " "), (2, "\x1b[C"), (3, "\x1bOC"), (2, "\x1b[D"), (3, "\r"), (4, " "), (3, "b")]:
        reader.press(key)
        shown = reader.see(f"product {n} of 12", "p: play")
    assert "product[0, 0] = 58" in shown
    assert shown.count("\n") < 24
    reader.press("x" + " " * 20)
    reader.see("product 12 of 12", "product[1, 1] = 154", "p: play")
    reader.press("r")
    reader.see("product 0 of 12", "p: pause")
    reader.press("\x1b")
    reader.see("a: animate")
    reader.press("q")
    reader.left_as_it_was(0)


def test_matrices_are_typed():
    reader = Reader()
    reader.press("a")
    reader.see("product 0 of 12")
    reader.press("t")
    reader.see("a =")
    reader.press("1 2; 3 4\n")
    reader.see("b =")
    reader.press("\n")
    reader.see("a is 2×2 and b is 3×2 (rows × columns): a needs as many columns as b has rows")
    reader.press("1 2; 3 4\n5; -6\n")
    reader.see("product 0 of 4", "1×5")
    reader.press("q")
    reader.see("product[1, 0] = 3·5 + 4·(−6) = 15 + (−24) = −9", "e: explain")
    reader.press("e")
    reader.see("Which number?")
    reader.press("product product[1, 0]\n")
    reader.see("product[row=1, column=0] = −9   ✓ same bits", "q: quit")
    reader.press("q")
    reader.left_as_it_was(0)


def test_what_may_not_be_typed_is_not_offered():
    reader = Reader("--set", "theta=90")
    for page in (4, 5, 6, 7, 8):
        reader.see(f"({page - 1}/", "q: quit")
        reader.press("\r")
    reader.see("(8/", "a: animate")
    reader.press("a")
    reader.see("points · R", "t: type matrices")
    reader.press("t")
    reader.see("points =")
    reader.press("4 0\n")
    reader.see("product 0 of 4")
    assert "R =" not in str(Screen(reader.text))
    reader.press("qq")
    reader.left_as_it_was(0)


@pytest.mark.parametrize("while_playing", [True, False])
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_terminal_is_left_as_it_was(stop, code, while_playing):
    reader = Reader()
    reader.press("a" if while_playing else "ap")
    reader.see("p: pause" if while_playing else "p: play", "q: leave")
    assert Screen(reader.text).hidden
    assert termios.tcgetattr(reader.end) != reader.settings
    assert termios.tcgetattr(reader.end)[6][termios.VSUSP] == b"\0"
    if stop == signal.SIGINT:
        reader.press("\x03")
    else:
        os.kill(reader.process, stop)
    reader.left_as_it_was(code)


def test_asked_to_end_at_a_page_it_leaves_the_terminal_as_it_was():
    reader = Reader()
    reader.see("q: quit")
    reader.until(lambda: termios.tcgetattr(reader.end) != reader.settings)
    os.kill(reader.process, signal.SIGTERM)
    reader.left_as_it_was(143)


def test_without_colours_and_with_ascii_only():
    reader = Reader("--ascii", NO_COLOR="1")
    reader.press("a ")
    shown = reader.see("product 1 of 12", "[1*7 ]", "-> or space: step   <-: back")
    assert shown.isascii()
    assert not re.search(r"\x1b\[[\d;]*(3|4)\d", reader.text)
    reader.press("qq")
    reader.left_as_it_was(0)


def test_a_terminal_that_can_not_move_its_cursor_has_no_animation():
    reader = Reader(TERM="dumb")
    assert "a: animate" not in reader.see("(3/", "q: quit")
    reader.press("q")
    reader.left_as_it_was(0)
