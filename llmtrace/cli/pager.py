"""Output that is longer than the screen, on a terminal: shown by a pager, so that it is read from its beginning."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleRenderable
from rich.pager import Pager
from rich.segment import Segments

from llmtrace.i18n import _

if TYPE_CHECKING:
    import subprocess

NO_PAGER = {"dumb", "emacs"}
"""Terminals (TERM) that can't move the cursor, as a pager must."""
NOT_FOUND = {126, 127}
"""What a shell returns for a command that it can't start."""


def pager_command() -> str:
    """The pager to use: PAGER, or `less`, or `more`; none where PAGER is empty, or where the terminal is not fit for one."""
    if os.environ.get("TERM", "").lower() in NO_PAGER or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    import shutil  # on a terminal only

    there = next((name for name in ("less", "more") if shutil.which(name)), "")
    return os.environ.get("PAGER", there).strip()


def shows_colours(command: str) -> bool:
    """Whether a pager passes colours on: `less` does with -R."""
    if os.path.basename(command.split()[0]) != "less":
        return False
    options = f"{os.environ.get('LESS', '-R')} {command}"
    return "R" in options or "-r" in options.split()


def hint() -> str:
    """What one presses, in the user's language."""
    return _("space: next page, b: back, q: quit")


def less_options() -> str:
    """What `less` is told where the user has told it nothing (LESS): to pass colours on, and a prompt that says what to press.

    Its prompt is in ASCII: several versions write the bytes of other letters as <U+0094> (gwsw/less#576).
    """
    prompt = hint() if hint().isascii() else "SPACE / b / q"
    return "-R -Ps" + re.sub(r"([?:.%\\])", r"\\\1", prompt)  # characters with a meaning in less's prompts


def pages(content: str, command: str, height: int) -> str:
    """The content as `less` should have it: in languages that its prompt can't speak, with the hint as the first line; and
    filled up to whole pages, since it would show the end of the page before once more above the last lines.
    """
    if os.path.basename(command.split()[0]) != "less":
        return content
    if not hint().isascii():
        content = f"{hint()}\n\n{content}"
    return content + "\n" * (-content.count("\n") % max(1, height - 1))


def print_paged(console: Console, shown: ConsoleRenderable, paged: bool = True) -> None:
    """Prints a renderable: through the pager if there is one and the screen is too low, else as always."""
    command = pager_command() if paged and console.is_terminal else ""
    if not command:
        console.print(shown)
        return
    segments = Segments(list(console.render(shown)))
    if sum(segment.text.count("\n") for segment in segments.segments) < console.height:
        console.print(segments)
        return
    with console.pager(_Command(command, console.height), styles=shows_colours(command)):
        console.print(segments)


class _Command(Pager):
    """A command that reads its input and shows it."""

    def __init__(self, command: str, height: int) -> None:
        self.command = command
        self.height = height

    def show(self, content: str) -> None:
        import subprocess  # for long output on a terminal only

        content = pages(content, self.command, self.height)
        environment = {"LESS": less_options(), "LESSCHARSET": "utf-8", **os.environ}
        with subprocess.Popen(
            self.command,
            shell=True,
            stdin=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
            errors="backslashreplace",
        ) as process:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # who quits has seen enough
                process.stdin.write(content)
            with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
                process.stdin.close()
            _wait(process)
        if process.returncode in NOT_FOUND:
            sys.stdout.write(content)


def _wait(process: subprocess.Popen[str]) -> None:
    """Waits for the end of a pager; Ctrl-C is for the pager, not for us."""
    while True:
        try:
            process.wait()
            return
        except KeyboardInterrupt:
            continue
