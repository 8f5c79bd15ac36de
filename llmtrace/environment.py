"""Whether this build computes as promised, and what environment variables say about computing. None of them changes a bit."""

from __future__ import annotations

import os
import sys

from llmtrace import _kernels
from llmtrace.i18n import _, listed
from llmtrace.interrupts import is_command
from llmtrace.text import cited

MOST_THREADS = 4096


def check_build() -> None:
    """ImportError, in one line, where the compiler's flags made kernels that give other numbers than all other builds."""
    if broken := _kernels.broken_promises():
        text = _(
            "llmtrace's kernels were compiled with flags that change results: {operation} in {numbers} ({instructions}) is not"
            " rounded as written; compile them again without flags such as -ffast-math in CFLAGS",
            operation=broken[0][2],
            numbers=broken[0][1],
            instructions=broken[0][0],
        )
        refuse(text)


def follow() -> None:
    """Sets the instruction set and the number of threads; ImportError says in one line which variable can't be followed."""
    name = os.environ.get("LLMTRACE_ISA", "")
    known = _kernels.instruction_sets()
    if name and name not in known:
        text = _(
            "LLMTRACE_ISA={name} can't be used here; choose one of {known}, or unset it",
            name=cited(name),
            known=listed(known),
        )
        refuse(text)
    if name:
        _kernels.use_instruction_set(name)
    threads = os.environ.get("LLMTRACE_NUM_THREADS", "")
    if threads and not (threads.isascii() and threads.isdigit() and 1 <= int(threads[:5]) <= MOST_THREADS):
        text = _(
            "LLMTRACE_NUM_THREADS={threads} is not a number of threads: give a whole number from 1 to {most}, or unset it",
            threads=cited(threads),
            most=MOST_THREADS,
        )
        refuse(text)
    if threads:
        _kernels.set_threads(int(threads))


def takes_not_finite() -> bool:
    """Whether weights may hold NaN or ∞, for a look at what such a model does."""
    return os.environ.get("LLMTRACE_NOT_FINITE", "") not in {"", "0"}


def refuse(text: str) -> None:
    """ImportError for a program that imports llmtrace; where the command is started, one line and exit code 2."""
    if is_command():
        print(_("Error: {message}", message=text), file=sys.stderr)
        raise SystemExit(2)
    raise ImportError(text)
