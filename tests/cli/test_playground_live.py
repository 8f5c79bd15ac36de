"""The playground live on a terminal: it is drawn as it learns, obeys keys, and leaves the terminal as it was."""

import os
import re
import signal
import termios

import pytest
from helpers.terminal import Terminal

pytestmark = pytest.mark.usefixtures("own_state")

READY = "Enter: go on"


class Live(Terminal):
    """The playground, live, on a terminal of 80 × 24."""

    def __init__(self, *arguments, **environment):
        super().__init__("learn", "playground", *arguments, **environment)
        assert "Press l, and watch it learn." in self.press("", READY)
        self.press("l", "space:")

    def press(self, typed, until):
        """Types, and gives what is shown until a text stands there."""
        self.text = ""
        os.write(self.end, typed.encode())
        return self.read(until=until)

    def restored(self):
        """Whether the terminal shows its ordinary screen and its cursor, and has the settings that it had."""
        shown = self.text.rindex("\x1b[?1049l") > self.text.rindex("\x1b[?1049h") and self.text.rstrip().count(
            "\x1b[?25h"
        )
        return shown and termios.tcgetattr(self.end)[:4] == self.settings[:4]


FEW = ("--set", "batch=125", "--set", "epochs=2")
"""Four steps, each with a picture of its own."""


def test_live():
    terminal = Live(*FEW)
    terminal.read(until="epoch 2 of 2, step 4;")
    assert "space: go" in terminal.read(until="space: go")
    assert "hidden.1 [0]" in terminal.text
    terminal.press("s", "step 5;")
    terminal.press("r", "step 0;")
    terminal.press("s", "step 1;")
    terminal.press("e", "> ")
    assert "125 products" in terminal.press("\n", "any key: go on")
    assert "weight − step" in terminal.press("x", "any key: go back")
    terminal.press("x", "q: quit")
    terminal.press("e", "> ")
    terminal.press("hidden.1.bias[7]\n", "any key")
    assert "0 to 3" in terminal.text
    terminal.press("x", "q: quit")
    assert "llmtrace learn playground --set batch=125 --set epochs=0.5" in terminal.press("c", "any key")
    terminal.press("x", "q: quit")
    terminal.press(" ", "step 4;")
    terminal.press("q", READY)
    os.write(terminal.end, b"q")
    assert terminal.code() == 0


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}, {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}])
def test_live_with_what_the_terminal_can_show(more):
    terminal = Live(*FEW, **more)
    shown = terminal.read(until="step 4;")
    assert bool(re.search(r"\x1b\[[0-9;]*48;5;", shown)) == (not more)
    assert shown.isascii() >= ("PYTHONIOENCODING" in more)
    os.write(terminal.end, b"qq")
    assert terminal.code() == 0


@pytest.mark.parametrize("how", ["key", "signal"])
def test_whatever_ends_it_restores_the_terminal(how):
    terminal = Live("--set", "epochs=2000")
    whole = terminal.text
    if how == "key":
        os.write(terminal.end, b"\x03")
    else:
        os.kill(terminal.process, signal.SIGTERM)
    terminal.text = whole
    terminal.read()
    assert terminal.restored()
    assert terminal.code() == (130 if how == "key" else 143)


def test_no_live_view_where_nothing_can_be_redrawn():
    terminal = Terminal("learn", "playground", TERM="dumb")
    text = terminal.read(until=READY)
    assert "l: live" not in text
    assert "epoch 20: loss in training" in text
    os.write(terminal.end, b"q")
    assert terminal.code() == 0
