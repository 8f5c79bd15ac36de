#!/usr/bin/env python
"""How long each lesson takes: to its first screen on a terminal, and as a whole in a pipe; and how many exercises it has.

    python tools/check_lessons.py [LESSON …] [--seconds 1 30] [--markdown TABLE.md]

Every lesson in every language, on terminals of 80×24 and of 60×20. The times are of the processor and of the clock; the
processor's decide, for a clock goes on while others compute. Exit code 1 where one is longer than it may be.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from llmtrace import i18n
from llmtrace.i18n import _
from llmtrace.lessons import LESSONS, lesson_class

SIZES = ((80, 24), (60, 20))
LIMIT = 60
"""Seconds after which a first screen is given up."""


class Times(NamedTuple):
    """Seconds: of the processor, user and system, and of the clock."""

    processor: float
    clock: float


def environment(columns: int, rows: int) -> dict[str, str]:
    """A terminal of that size, without settings of whoever measures."""
    own = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "PAGER", "LANG", "LC_ALL"}}
    return own | {"COLUMNS": str(columns), "LINES": str(rows), "TERM": "xterm-256color", "LANG": "C.UTF-8"}


def first_screen(command: list[str], until: str, columns: int, rows: int) -> Times:
    """From the start of a command on a terminal until a text stands on it; then it is ended."""
    start = time.perf_counter()
    process, end = pty.fork()
    if not process:
        os.execve(command[0], command, environment(columns, rows))
    text = b""
    while until.encode() not in text and time.perf_counter() < start + LIMIT:
        if select.select([end], [], [], 1)[0]:
            text += os.read(end, 65536)
    clock = time.perf_counter() - start
    os.kill(process, signal.SIGTERM)
    used = os.wait4(process, 0)[2]
    os.close(end)
    return Times(used.ru_utime + used.ru_stime, clock)


def piped(command: list[str], columns: int, rows: int) -> Times:
    """A command in a pipe, from its start to its end."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(columns, rows)) as process:
        assert process.stdout is not None
        process.stdout.read()
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return Times(used.ru_utime + used.ru_stime, time.perf_counter() - start)


def measured(lesson: str) -> list[str]:
    """The row of a lesson, the longest times of all languages and sizes, and whether they are short enough."""
    first, whole = [], []
    for language in i18n.languages():
        i18n.use(language)
        for columns, rows in SIZES:
            command = [sys.executable, "-m", "llmtrace", "--lang", language, "learn", lesson]
            first.append(first_screen(command, _("q: quit"), columns, rows))
            whole.append(piped(command, columns, rows))
    times = [f"{max(found):.2f}" for part in (first, whole) for found in zip(*part, strict=True)]
    return [lesson, *times, str(len(lesson_class(lesson).exercises))]


def main() -> int:
    """Measure, print a table, and say whether all is short enough."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="those to measure; all by default")
    parser.add_argument(
        "--seconds", nargs=2, type=float, default=(1.0, 30.0), help="what the first screen and the whole may take"
    )
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    options = parser.parse_args()
    table = ["| lesson | first screen, s of processor | of clock | whole, s of processor | of clock | exercises |"]
    table.append("|---|---:|---:|---:|---:|---:|")
    slow = []
    for lesson in options.lessons or LESSONS:
        row = measured(lesson)
        table.append(f"| {' | '.join(row)} |")
        print(table[-1], flush=True)
        if any(float(seconds) > most for seconds, most in zip((row[1], row[3]), options.seconds, strict=True)):
            slow.append(lesson)
    if options.markdown:
        options.markdown.write_text("\n".join(table) + "\n", encoding="utf-8")
    print(f"too slow: {', '.join(slow)}" if slow else "all short enough")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
