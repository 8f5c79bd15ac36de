"""`llmtrace train`, run in this process or in one of its own."""

import os
import shlex
from subprocess import PIPE

from helpers import terminal
from helpers.cli_run import run

TINY = "--layers 1 --width 16 --heads 2 --context 16 --batch 4"
TEXT = "".join(f"The king {i % 50} had a child, a girl. The queen had {i % 7} more.\n" for i in range(300))


def train(line, code=0):
    """What the command does."""
    return run("train", *shlex.split(line), code=code)


def refused(line):
    *notes, text = train(line, 2).stderr.splitlines(keepends=True)
    assert text.startswith("Error: ")
    assert all(note.startswith("Note: ") for note in notes)
    return text


def process(line, threads="2", **options):
    environment = {**os.environ, "LLMTRACE_NUM_THREADS": threads}
    return terminal.process("train", *shlex.split(line), env=environment, **{"stdout": PIPE, "stderr": PIPE, **options})
